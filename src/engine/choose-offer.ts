import { inferShapes, type Graph } from '../architecture/index.ts'
import { AppError } from '../error.ts'
import type { ComputeDType, Device, Engine, EngineLacks, EngineName } from './engine.ts'
import { kindRank } from './choose-device.ts'

/** An engine that lacks nothing. */
export const NOTHING: EngineLacks = { operators: [], dtypes: [] }

/** What a run asks for. */
export interface Wish {
  /** `auto`, or as PyTorch names devices: `cpu`, `cuda` (the first one), `cuda:1`, `webgpu`. */
  readonly device: string
  readonly engine: EngineName | 'auto'
  readonly computeDType: ComputeDType
}

/** A device with an engine that drives it. */
export interface Offer {
  readonly engine: Pick<Engine, 'name' | 'lacks'>
  readonly device: Pick<Device, 'id' | 'computeDTypes'>
}

/** What may execute a graph, in the order in which it is to be tried, and why the first of them comes first. */
export interface OfferChoice<O extends Offer> {
  readonly offers: readonly [O, ...O[]]
  readonly reason: string
}

/**
 * Offers that fit a wish and a graph. For `auto` the fastest kind of device comes first, and of its engines the one that was offered first.
 * @throws AppError DEVICE_UNAVAILABLE when nothing fits the wish, with what there is; ARCHITECTURE_UNSUPPORTED_OPERATOR when what fits the
 * wish lacks operators of the graph, with their names.
 */
export function chooseOffers<O extends Offer>(wish: Wish, graph: Graph, there: readonly O[]): OfferChoice<O> {
  const placed = there.filter((offer) => fits(wish, offer))
  if (placed.length === 0) throw unavailable(wish, there, '')
  const able = placed.filter(({ device }) => device.computeDTypes.includes(wish.computeDType))
  if (able.length === 0) throw unavailable(wish, there, ` that computes in ${wish.computeDType}`)
  const lacking = new Map(able.map((offer) => [offer, lackingOf(graph, offer.engine.lacks)]))
  const [first, ...others] = able
    .filter((offer) => lacking.get(offer)!.length === 0)
    .sort((a, b) => kindRank(a.device.id) - kindRank(b.device.id))
  if (first === undefined) {
    const [{ engine }] = able as [O, ...O[]]
    throw refusal(
      engine.name,
      lacking.get(able[0]!)!,
      there.some(({ engine: { name } }) => name !== engine.name),
    )
  }
  const passed = able.flatMap((offer) =>
    offer.device.id === first.device.id && lacking.get(offer)!.length > 0
      ? [`${offer.engine.name} is passed over, as it lacks ${lacking.get(offer)!.join(', ')}`]
      : [],
  )
  return {
    offers: [first, ...others],
    reason: [deviceReason(wish, first, able), ...passed, engineReason(wish, first, others)].join('; '),
  }
}

/** What an engine lacks of a graph: names of operators, and of element types of its values; sorted. */
export function lackingOf(graph: Graph, { operators, dtypes }: EngineLacks): readonly string[] {
  if (operators.length + dtypes.length === 0) return []
  const used = partsOf(graph)
  return [...operators, ...dtypes].filter((part) => used.has(part)).sort()
}

/** Asked of the same graph with every prediction. */
const PARTS = new WeakMap<Graph, ReadonlySet<string>>()

/** Names of the operators of a graph, and of the element types of its values. */
function partsOf(graph: Graph): ReadonlySet<string> {
  let parts = PARTS.get(graph)
  if (parts === undefined) {
    parts = new Set([...graph.nodes.map(({ op }) => op), ...[...inferShapes(graph).values()].map(({ dtype }) => dtype)])
    PARTS.set(graph, parts)
  }
  return parts
}

const refusal = (name: EngineName, lacking: readonly string[], others: boolean): AppError =>
  new AppError(
    'ARCHITECTURE_UNSUPPORTED_OPERATOR',
    `the engine ${name} lacks ${lacking.join(', ')}, which the graph of this architecture has` +
      (others ? '; choose another engine, or auto' : ''),
  )

const fits = ({ device, engine }: Wish, offer: Offer): boolean =>
  (device === 'auto' || offer.device.id === device || offer.device.id === `${device}:0`) &&
  (engine === 'auto' || offer.engine.name === engine)

function unavailable({ device, engine }: Wish, there: readonly Offer[], how: string): AppError {
  const wanted = `${device === 'auto' ? 'device' : `device ${JSON.stringify(device)}`}${engine === 'auto' ? '' : ` of the engine ${engine}`}`
  const list = [...new Set(there.map((offer) => describe(offer)))].join(', ')
  const cure = "name one of them, or 'auto' for the fastest"
  return new AppError(
    'DEVICE_UNAVAILABLE',
    `there is no ${wanted}${how}: ${list === '' ? 'no worker has any' : `there are ${list}; ${cure}`}`,
  )
}

function describe({ engine, device }: Offer): string {
  const halves = device.computeDTypes.filter((dtype) => dtype !== 'float32')
  return `${device.id} (${[engine.name, ...halves].join(', ')})`
}

function deviceReason({ device }: Wish, first: Offer, able: readonly Offer[]): string {
  if (device !== 'auto') return `${first.device.id} was asked for`
  const slower = new Set(able.map(({ device: { id } }) => id).filter((id) => id !== first.device.id))
  return slower.size === 0
    ? `${first.device.id} is the only device`
    : `${first.device.id} is the fastest kind of device, before ${[...slower].join(', ')}`
}

function engineReason({ engine }: Wish, first: Offer, others: readonly Offer[]): string {
  if (engine !== 'auto') return `${engine} was asked for`
  const after = others.filter(({ device }) => device.id === first.device.id).map((offer) => offer.engine.name)
  return after.length === 0
    ? `${first.engine.name} is what drives it`
    : `${first.engine.name} comes before ${after.join(', ')} on this worker`
}
