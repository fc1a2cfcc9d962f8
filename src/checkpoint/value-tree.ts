import type { DType, Shape } from '../tensor/index.ts'

/**
 * The Python values that a checkpoint file holds, as data. Nothing is instantiated.
 *
 * Nodes live in one flat array and name each other by index, so that depth costs no recursion, a value that is
 * referenced twice (pickle memo) is stored once and stays shared, and the tree is plain JSON: integers that are no
 * safe JavaScript integers are decimal strings, floats that JSON cannot hold are 'NaN', 'Infinity', '-Infinity', '-0'.
 */
export type ValueNode =
  | { readonly kind: 'none' }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'int'; readonly value: number | string }
  | { readonly kind: 'float'; readonly value: number | 'NaN' | 'Infinity' | '-Infinity' | '-0' }
  | { readonly kind: 'complex'; readonly re: number | string; readonly im: number | string }
  | { readonly kind: 'string'; readonly value: string }
  /** `value` is base64. */
  | { readonly kind: 'bytes' | 'bytearray'; readonly value: string }
  | { readonly kind: 'list' | 'tuple' | 'set'; readonly items: readonly number[] }
  /**
   * `entries` are [key node, value node], in order. `state` are the attributes of the object: `_metadata` of a state_dict,
   * `__metadata__` of a safetensors file.
   */
  | {
      readonly kind: 'dict' | 'ordered_dict' | 'counter'
      readonly entries: readonly (readonly [number, number])[]
      readonly state?: number
    }
  /** `tensor` is an index into `Checkpoint.tensors`. `state` are its Python attributes, where it has any. */
  | { readonly kind: 'tensor'; readonly tensor: number; readonly state?: number }
  /** torch.Size */
  | { readonly kind: 'size'; readonly sizes: readonly number[] }
  /** torch.float32 and its like, by the name after `torch.` */
  | { readonly kind: 'dtype'; readonly value: string }
  | { readonly kind: 'device'; readonly type: string; readonly index?: number }
  /**
   * Any other object that is represented, never built: the class or function that makes it (`numpy.dtype`,
   * `torch._utils._rebuild_sparse_tensor`), the tuple of arguments it was made with, its state. Storages in the arguments
   * are folded into tensors. Class `global` is a bare name, `torch.per_tensor_affine`: `args` is the string.
   * `items` were appended to it (a `collections.deque`), `entries` set in it (a `collections.defaultdict`), before `state` was.
   */
  | {
      readonly kind: 'object'
      readonly class: string
      readonly args?: number
      readonly items?: readonly number[]
      readonly entries?: readonly (readonly [number, number])[]
      readonly state?: number
    }

/** A value tree: `root` is an index into `nodes`. */
export interface ValueTree {
  readonly nodes: readonly ValueNode[]
  readonly root: number
}

/** One torch storage: a run of bytes in the file that tensors are views of. */
export interface StorageEntry {
  /** Its name inside the file: `0`, `1`, …, or a tensor's name in safetensors. */
  readonly key: string
  /** Element type of the storage; `uint8` for an UntypedStorage. */
  readonly dtype: DType
  /** Length in bytes. */
  readonly byteLength: number
  /** Location tag as saved: `cpu`, `cuda:0`, `mps`. */
  readonly location: string
}

/** Where the elements of a tensor lie in its storage. Offset and strides count elements of `dtype`. */
export interface TensorView {
  readonly dtype: DType
  readonly shape: Shape
  readonly stride: readonly number[]
  readonly storageOffset: number
}

/** A tensor: a view of a storage. */
export interface TensorEntry extends TensorView {
  /** Index into `Checkpoint.storages`. */
  readonly storage: number
  readonly requiresGrad: boolean
  /** `torch.nn.Parameter` or a plain tensor. */
  readonly isParameter: boolean
}

/** A global that the pickle names, and the byte of its opcode in the pickle. */
export interface GlobalReference {
  readonly module: string
  readonly name: string
  readonly offset: number
}

/** The formats that are read. */
export type CheckpointFormat = 'torch-zip' | 'safetensors'

/**
 * What a checkpoint file holds: values, tensors, and where the bytes of each storage are. It reads from the source it was
 * opened on for as long as it is used; disposing it disposes the source too, where that is disposable.
 */
export interface Checkpoint extends AsyncDisposable {
  readonly format: CheckpointFormat
  readonly tree: ValueTree
  readonly tensors: readonly TensorEntry[]
  readonly storages: readonly StorageEntry[]
  /** Every global of the pickle, in order of first use; empty for safetensors. */
  readonly globals: readonly GlobalReference[]
  /** Sentences for the user: a wrong CRC, a big-endian file that was swapped. Grows while storages are read. */
  readonly warnings: readonly string[]
  /**
   * Little-endian bytes of a storage, or `length` of them from byte `offset`, in pieces of at most 1 MiB.
   * @throws AppError CHECKPOINT_CORRUPT when the file cannot be read as declared.
   */
  readStorage(index: number, offset?: number, length?: number): AsyncIterable<Uint8Array>
}

/** A flat mapping from keys to tensors found in a tree, with the path that leads to it: `[]`, `['model_state_dict']`. */
export interface StateDict {
  readonly path: readonly string[]
  /** state_dict key → index into `Checkpoint.tensors`, in file order. */
  readonly tensors: ReadonlyMap<string, number>
}
