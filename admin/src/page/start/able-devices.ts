/** A device with an engine, as far as it decides what can be chosen. */
export interface Offer {
  readonly id: string
  readonly engine: string
  readonly description: string
  readonly lackingOperators: readonly string[]
}

/** Something to choose: what cannot be is there too, with the reason. */
export interface Choice {
  readonly value: string
  readonly label: string
  readonly disabled: boolean
}

const lacking = (offer: Offer, operators: readonly string[]): readonly string[] =>
  offer.lackingOperators.filter((op) => operators.includes(op))

/** Every device once; those where no engine has all the operators cannot be chosen. */
export function deviceChoices(offers: readonly Offer[], operators: readonly string[]): readonly Choice[] {
  const devices = [...new Map(offers.map((offer) => [offer.id, offer.description]))]
  return devices.map(([id, description]) => {
    const missing = offers.filter((offer) => offer.id === id).map((offer) => lacking(offer, operators))
    const disabled = missing.every((ops) => ops.length > 0)
    return { value: id, label: `${id} (${description})${disabled ? lacks(missing[0]!) : ''}`, disabled }
  })
}

/** Every engine of a device, or of any; those that lack operators everywhere cannot be chosen. */
export function engineChoices(
  offers: readonly Offer[],
  device: string,
  operators: readonly string[],
): readonly Choice[] {
  const own = offers.filter(({ id }) => device === 'auto' || id === device)
  return [...new Set(own.map(({ engine }) => engine))].map((engine) => {
    const missing = own.filter((offer) => offer.engine === engine).map((offer) => lacking(offer, operators))
    const disabled = missing.every((ops) => ops.length > 0)
    return { value: engine.toUpperCase(), label: `${engine}${disabled ? lacks(missing[0]!) : ''}`, disabled }
  })
}

const lacks = (operators: readonly string[]): string => `: has no ${operators.join(', ')}`
