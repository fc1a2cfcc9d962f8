import { isContiguous, itemSize } from '../tensor/index.ts'
import { gatherBox, type ReadRange } from './gather-box.ts'
import { boxElements, boxOf, splitBox } from './strided-box.ts'
import type { Checkpoint, TensorView } from './value-tree.ts'

export type { ReadRange } from './gather-box.ts'

/** A view that is not contiguous is put in order in blocks of this many bytes. */
const BLOCK = 16 << 20
const PIECE = 1 << 20

/**
 * The elements of a tensor as dense row-major little-endian bytes, in pieces of at most 1 MiB: what `tensor.contiguous()`
 * holds. `read` gives bytes of the tensor's storage. A contiguous view is one range of it; any other takes 17 MiB of memory,
 * however large the storage is.
 */
export function denseBytes(tensor: TensorView, read: ReadRange): AsyncGenerator<Uint8Array> {
  return denseRange(tensor, read, 0, boxElements(boxOf(tensor)) * itemSize(tensor.dtype))
}

/** `length` of those bytes from byte `offset`. Blocks before them are not read. */
export async function* denseRange(
  tensor: TensorView,
  read: ReadRange,
  offset: number,
  length: number,
): AsyncGenerator<Uint8Array> {
  const size = itemSize(tensor.dtype)
  if (length === 0) return
  if (isContiguous(tensor.shape, tensor.stride)) {
    yield* read(tensor.storageOffset * size + offset, length)
    return
  }
  let start = 0
  for (const part of splitBox(boxOf(tensor), BLOCK / size)) {
    const end = start + boxElements(part) * size
    if (end > offset) {
      const bytes = (await gatherBox(part, size, read)).subarray(Math.max(0, offset - start), offset + length - start)
      for (let at = 0; at < bytes.length; at += PIECE) yield bytes.subarray(at, at + PIECE)
    }
    start = end
    if (start >= offset + length) return
  }
}

/** `denseBytes` of a tensor of an open checkpoint. */
export function tensorBytes(
  checkpoint: Pick<Checkpoint, 'tensors' | 'readStorage'>,
  index: number,
): AsyncGenerator<Uint8Array> {
  const tensor = checkpoint.tensors[index]
  if (!tensor) throw new RangeError(`there is no tensor ${index}`)
  return denseBytes(tensor, (offset, length) => checkpoint.readStorage(tensor.storage, offset, length))
}
