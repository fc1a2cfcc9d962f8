import type { DType } from '../../tensor/index.ts'
import type { GlobalReference, TensorEntry } from '../value-tree.ts'

/**
 * A value on the stack of the pickle machine. Integers that are safe are numbers, larger ones bigints; floats are boxed,
 * because 1 and 1.0 are different things in a checkpoint. Objects have identity, as in Python: a value that is memoised
 * and used twice is the same object.
 */
export type PickleValue = null | boolean | number | bigint | string | PickleObject

/** `node` is the object's index in the value tree, once `flatten` has placed it. */
interface Placed {
  node?: number
}

export type PickleDict = Placed & {
  readonly kind: 'dict' | 'ordered_dict' | 'counter'
  readonly entries: [PickleValue, PickleValue][]
  /** Position of each key; only kept for dicts that are too long to search. */
  index?: Map<unknown, number>
  state?: PickleValue
}
export type PickleSequence = Placed & { readonly kind: 'list' | 'tuple' | 'set'; readonly items: PickleValue[] }
export type PickleTensor = Placed & {
  readonly kind: 'tensor'
  readonly entry: TensorEntry
  readonly state?: PickleValue
}
export type PickleStorage = Placed & {
  readonly kind: 'storage'
  /** Index into the checkpoint's storages. */
  readonly index: number
  readonly dtype: DType
  /** First byte: not 0 where the pickle names a part of a storage (files before PyTorch 1.6). */
  readonly start: number
  readonly byteLength: number
  /** The storage class that the pickle names: `torch.FloatStorage`. */
  readonly class: string
}
/** Represented, never built: the function or class that Python would call, with what. */
export type PickleInstance = Placed & {
  readonly kind: 'object'
  readonly class: string
  readonly args: PickleValue
  /** What was appended to it: a deque. */
  readonly items?: PickleValue[]
  /** What was set in it: a defaultdict. */
  readonly entries?: [PickleValue, PickleValue][]
  index?: Map<unknown, number>
  state?: PickleValue
}
/** A global of the closed list. */
export type PickleGlobal = Placed & {
  readonly kind: 'global'
  readonly path: string
  readonly reference: GlobalReference
}
/** A global outside of the closed list, or what comes of calling it: inert. The file is refused once it is read through. */
export type PickleForeign = Placed & {
  readonly kind: 'foreign'
  readonly reference: GlobalReference
  /** What the pickle does with it; undefined while it only names it. */
  use?: 'calls' | 'instantiates'
}

export type PickleObject =
  | PickleDict
  | PickleSequence
  | PickleTensor
  | PickleStorage
  | PickleInstance
  | PickleGlobal
  | PickleForeign
  | (Placed & { readonly kind: 'float'; readonly value: number })
  | (Placed & { readonly kind: 'complex'; readonly re: number; readonly im: number })
  | (Placed & { readonly kind: 'bytes' | 'bytearray'; readonly value: Uint8Array })
  | (Placed & { readonly kind: 'size'; readonly sizes: readonly number[] })
  | (Placed & { readonly kind: 'device'; readonly type: string; readonly deviceIndex?: number })

/** The object type of a kind: a dict for 'dict', a sequence of kind 'list' for 'list'. */
export type PickleObjectOf<Kind extends PickleObject['kind'], Candidate = PickleObject> = Candidate extends {
  readonly kind: infer Own
}
  ? [Kind & Own] extends [never]
    ? never
    : Candidate & { readonly kind: Kind }
  : never

/** Whether a value is, or came of, a name outside of the closed list. */
export const isForeign = (value: PickleValue | undefined): value is PickleForeign =>
  typeof value === 'object' && value?.kind === 'foreign'

/** What a value is, in Python's words, for messages. */
export function typeName(value: PickleValue): string {
  if (value === null) return 'None'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'number' || typeof value === 'bigint') return 'int'
  if (typeof value === 'string') return 'str'
  switch (value.kind) {
    case 'ordered_dict':
      return 'OrderedDict'
    case 'counter':
      return 'Counter'
    case 'object':
      return value.class
    case 'global':
      return `the name ${value.path}`
    case 'foreign':
      return `${value.reference.module}.${value.reference.name}`
    case 'size':
      return 'torch.Size'
    case 'device':
      return 'torch.device'
    case 'tensor':
      return 'torch.Tensor'
    case 'storage':
      return value.class
    case 'dict':
    case 'list':
    case 'tuple':
    case 'set':
    case 'float':
    case 'complex':
    case 'bytes':
    case 'bytearray':
      return value.kind
    default:
      return value satisfies never
  }
}
