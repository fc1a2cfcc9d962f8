import { isDType, type DType } from '../../tensor/index.ts'
import { dtypeOfPath } from './globals.ts'
import { corrupt, overLimit, unsupported, type PickleMachine } from './machine-state.ts'
import { typeName, type PickleObject, type PickleObjectOf, type PickleValue } from './pickle-value.ts'

/** Checks the arguments of a function that a pickle calls, so that a node is only made of what Python would accept. */

/** The positional arguments, of which there must be `least` to `most`. */
export function positional(
  machine: PickleMachine,
  callee: string,
  args: PickleValue,
  least: number,
  most = least,
): readonly PickleValue[] {
  const { items } = ofKind(machine, args, 'tuple', `the arguments of ${callee}`)
  if (items.length < least || items.length > most)
    throw corrupt(machine, `${callee} is called with ${items.length} arguments instead of ${least}`)
  return items
}

/** A value as an object of one kind. */
export function ofKind<Kind extends PickleObject['kind']>(
  machine: PickleMachine,
  value: PickleValue | undefined,
  kind: Kind,
  what: string,
): PickleObjectOf<Kind> {
  if (typeof value === 'object' && value !== null && value.kind === kind) return value as PickleObjectOf<Kind>
  throw corrupt(machine, `${what} should be a ${kind} and is a ${nameOf(value)}`)
}

/** A whole number that can be counted with. */
export function integerOf(machine: PickleMachine, value: PickleValue | undefined, what: string): number {
  if (typeof value === 'number') return value
  throw corrupt(machine, `${what} should be an int below 2^53 and is a ${nameOf(value)}`)
}

/** A string. */
export function stringOf(machine: PickleMachine, value: PickleValue | undefined, what: string): string {
  if (typeof value === 'string') return value
  throw corrupt(machine, `${what} should be a str and is a ${nameOf(value)}`)
}

/** A flag. */
export function flagOf(machine: PickleMachine, value: PickleValue | undefined, what: string): boolean {
  if (typeof value === 'boolean') return value
  throw corrupt(machine, `${what} should be a bool and is a ${nameOf(value)}`)
}

/** A tuple, list or torch.Size of whole numbers. */
export function sizesOf(machine: PickleMachine, value: PickleValue | undefined, what: string): readonly number[] {
  if (typeof value === 'object' && value !== null) {
    if (value.kind === 'size') return value.sizes
    if (value.kind === 'tuple' || value.kind === 'list') {
      if (value.items.length > machine.tensorLimits.maxRank)
        throw overLimit(
          machine,
          `${what} has ${value.items.length} dimensions, the limit is ${machine.tensorLimits.maxRank}`,
        )
      return value.items.map((item) => integerOf(machine, item, what))
    }
  }
  throw corrupt(machine, `${what} should be a tuple and is a ${nameOf(value)}`)
}

/** A dtype that tensors of ours can have. */
export function dtypeOf(machine: PickleMachine, value: PickleValue | undefined): DType {
  const { path } = ofKind(machine, value, 'global', 'a dtype')
  const name = dtypeOfPath(path)
  if (name === undefined) throw corrupt(machine, `a dtype should be here and is ${path}`)
  if (!isDType(name)) throw unsupported(machine, `a tensor of dtype torch.${name} is not supported`)
  return name
}

const nameOf = (value: PickleValue | undefined): string => (value === undefined ? 'nothing' : typeName(value))
