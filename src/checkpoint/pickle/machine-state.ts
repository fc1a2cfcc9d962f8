import { AppError } from '../../error.ts'
import type { TensorLimits } from '../limits.ts'
import type { PickleLimits } from './limits.ts'
import {
  typeName,
  type PickleForeign,
  type PickleGlobal,
  type PickleObject,
  type PickleObjectOf,
  type PickleValue,
} from './pickle-value.ts'

/** The pickle machine's registers. Handlers change them; nothing else does. */
export interface PickleMachine {
  readonly bytes: Uint8Array
  readonly view: DataView
  /** What messages call the pickle: `model.pth: data.pkl`. */
  readonly where: string
  readonly limits: PickleLimits
  readonly tensorLimits: TensorLimits
  /** Turns a persistent id into a storage. */
  readonly persistentLoad: PersistentLoad
  /** Next byte to read. */
  at: number
  /** Byte of the opcode that is executed. */
  opcodeAt: number
  readonly stack: PickleValue[]
  /** Heights of the stack at each open MARK. */
  readonly marks: number[]
  readonly memo: PickleValue[]
  memoCount: number
  objectCount: number
  tensorCount: number
  /** Every global by its path, in order of first use. */
  readonly globals: Map<string, PickleGlobal | PickleForeign>
  /** Foreign classes whose instances were given a torch.nn.Module's state. */
  readonly modules: Set<PickleForeign>
}

/** @throws AppError through `corrupt` and its like, which name the byte. */
export type PersistentLoad = (machine: PickleMachine, id: PickleValue) => PickleObject

const at = (machine: PickleMachine): string => `${machine.where}, byte ${machine.opcodeAt}`

/** The pickle contradicts itself. */
export const corrupt = (machine: PickleMachine, message: string): AppError =>
  new AppError('CHECKPOINT_CORRUPT', `${at(machine)}: ${message}`)

/** The pickle is valid and uses something that is not supported. */
export const unsupported = (machine: PickleMachine, message: string): AppError =>
  new AppError('CHECKPOINT_UNSUPPORTED', `${at(machine)}: ${message}`)

/** The pickle is larger than a limit. */
export const overLimit = (machine: PickleMachine, message: string): AppError =>
  new AppError('LIMIT_EXCEEDED', `${at(machine)}: ${message}`)

/** The next `length` bytes as a view. */
export function take(machine: PickleMachine, length: number): Uint8Array {
  const start = machine.at
  if (length > machine.bytes.length - start)
    throw corrupt(machine, `${length} bytes are announced, the pickle ends after ${machine.bytes.length - start}`)
  machine.at = start + length
  return machine.bytes.subarray(start, start + length)
}

/** The position of the next `length` bytes, which are then behind. */
export function skip(machine: PickleMachine, length: number): number {
  const start = machine.at
  if (length > machine.bytes.length - start)
    throw corrupt(machine, `the pickle ends in the middle of an opcode; the file was cut`)
  machine.at = start + length
  return start
}

/** Takes one value from the stack; a value below an open MARK is not reachable, as in Python. */
export function pop(machine: PickleMachine): PickleValue {
  if (machine.stack.length <= (machine.marks.at(-1) ?? 0))
    throw corrupt(machine, 'a value is taken from an empty stack')
  return machine.stack.pop()!
}

/** The value on top of the stack. */
export function top(machine: PickleMachine): PickleValue {
  if (machine.stack.length <= (machine.marks.at(-1) ?? 0)) throw corrupt(machine, 'the stack is empty')
  return machine.stack.at(-1)!
}

/** Takes everything above the last MARK, and the MARK. */
export function popMark(machine: PickleMachine): PickleValue[] {
  const height = machine.marks.pop()
  if (height === undefined) throw corrupt(machine, 'there is no MARK')
  return machine.stack.splice(height)
}

/** Pushes a new object and counts it. */
export function pushObject(machine: PickleMachine, object: PickleObject): void {
  charge(machine, 1)
  machine.stack.push(object)
}

/** Counts what a single opcode makes beyond one object: a copy of a list must not cost less than the list did. */
export function charge(machine: PickleMachine, objects: number): void {
  machine.objectCount += objects
  if (machine.objectCount > machine.limits.maxObjects)
    throw overLimit(machine, `the pickle makes more than ${machine.limits.maxObjects} objects`)
}

/** The top of the stack as one of some kinds; a foreign object passes as any of them, and is inert. */
export function topOfKind<Kind extends PickleObject['kind']>(
  machine: PickleMachine,
  opcode: string,
  kinds: readonly Kind[],
): PickleObjectOf<Kind> | PickleForeign {
  const value = top(machine)
  if (typeof value === 'object' && value !== null)
    if (value.kind === 'foreign' || (kinds as readonly string[]).includes(value.kind))
      return value as PickleObjectOf<Kind> | PickleForeign
  throw corrupt(machine, `${opcode} changes a ${kinds.join(' or ')}, not a ${typeName(value)}`)
}
