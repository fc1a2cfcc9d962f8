import { itemSize } from '../tensor/index.ts'
import { quoted } from '../container/index.ts'
import type { ByteSpan } from './byte-span.ts'
import { pickSpans } from './pick-spans.ts'
import { requestedRange } from './requested-range.ts'
import type { Checkpoint, StorageEntry, TensorEntry, TensorView } from './value-tree.ts'

/**
 * Bytes that are left out begin and end at multiples of this: of the item size of every dtype, so that offsets, which count elements,
 * can be moved; and of what engines that map weights into memory want.
 */
const ALIGNMENT = 64
/** A gap is worth closing from this many bytes on … */
const WORTH_BYTES = 4096
/** … when all of a storage's gaps together are at least this share of it. */
const WORTH_SHARE = 1 / 16
/** Storages that the warning names. */
const NAMED = 5

/** Bytes of a storage that stay, in order, and by how much the views in each move. */
interface Compacted {
  readonly spans: readonly KeptSpan[]
  readonly byteLength: number
}

interface KeptSpan extends ByteSpan {
  /** Bytes of the spans before it. */
  readonly before: number
}

/**
 * The same checkpoint without the bytes that no tensor reaches: `torch.save(big[:2])` writes the whole storage of `big`. Each view keeps
 * its dtype, shape and strides, views that share memory still do, and only `storageOffset` moves. A tensor reaches everything from its
 * first to its last element, so that what lies between its strides stays; a storage that no tensor refers to stays whole.
 *
 * Gaps of less than 4 KiB, and of less than a sixteenth of a storage together, stay too: they save nothing, and a storage that is
 * whole is shared with other checkpoints that have it whole.
 */
export function compactStorages(checkpoint: Checkpoint): Checkpoint {
  const { storages, tensors } = checkpoint
  const compacted = new Map<number, Compacted>()
  for (const [index, views] of viewsByStorage(tensors)) {
    const found = compactStorage(storages[index]!.byteLength, views)
    if (found !== null) compacted.set(index, found)
  }
  if (compacted.size === 0) return checkpoint
  const warning = warningOf(storages, compacted)
  const kept = storages.map((storage, index) => ({
    ...storage,
    byteLength: compacted.get(index)?.byteLength ?? storage.byteLength,
  }))
  return {
    ...checkpoint,
    storages: kept,
    tensors: tensors.map((tensor) => {
      const { spans, byteLength } = compacted.get(tensor.storage) ?? {}
      return spans === undefined ? tensor : moved(tensor, spans, byteLength!)
    }),
    // Grows while storages are read.
    get warnings() {
      return [...checkpoint.warnings, warning]
    },
    readStorage(index, offset, length, into) {
      const found = compacted.get(index)
      if (found === undefined) return checkpoint.readStorage(index, offset, length, into)
      const { start, end } = requestedRange(kept, index, offset, length)
      return pickSpans((at, count) => checkpoint.readStorage(index, at, count, into), found.spans, start, end)
    },
    storageRange(index) {
      const range = checkpoint.storageRange?.(index) ?? null
      const found = compacted.get(index)
      if (range === null || found === undefined) return range
      // Several spans do not lie next to each other.
      const [only, ...others] = found.spans
      if (only === undefined || others.length > 0) return null
      return { start: range.start + only.start, end: range.start + only.end }
    },
    [Symbol.asyncDispose]: () => checkpoint[Symbol.asyncDispose](),
  }
}

function viewsByStorage(tensors: readonly TensorEntry[]): Map<number, TensorView[]> {
  const views = new Map<number, TensorView[]>()
  for (const tensor of tensors) {
    const known = views.get(tensor.storage)
    if (known) known.push(tensor)
    else views.set(tensor.storage, [tensor])
  }
  return views
}

function compactStorage(byteLength: number, views: readonly TensorView[]): Compacted | null {
  const spans: { start: number; end: number }[] = []
  const reaches = views.map(reachOf).filter((reach) => reach !== null)
  for (const { start, end } of reaches.sort((a, b) => a.start - b.start)) {
    const span = {
      start: start - (start % ALIGNMENT),
      end: Math.min(byteLength, Math.ceil(end / ALIGNMENT) * ALIGNMENT),
    }
    const last = spans.at(-1)
    if (last === undefined) {
      spans.push(span.start < WORTH_BYTES ? { ...span, start: 0 } : span)
    } else if (span.start - last.end < WORTH_BYTES) last.end = Math.max(last.end, span.end)
    else spans.push(span)
  }
  const last = spans.at(-1)
  if (last !== undefined && byteLength - last.end < WORTH_BYTES) last.end = byteLength
  let kept = 0
  const keptSpans = spans.map(({ start, end }): KeptSpan => {
    const before = kept
    kept += end - start
    return { start, end, before }
  })
  return byteLength - kept < Math.max(WORTH_BYTES, byteLength * WORTH_SHARE)
    ? null
    : { spans: keptSpans, byteLength: kept }
}

/** The bytes from the first to behind the last element; null for a view without elements. */
function reachOf({ dtype, shape, stride, storageOffset }: TensorView): ByteSpan | null {
  if (shape.includes(0)) return null
  const last = shape.reduce((sum, size, axis) => sum + (size - 1) * stride[axis]!, storageOffset)
  const size = itemSize(dtype)
  return { start: storageOffset * size, end: (last + 1) * size }
}

function moved(tensor: TensorEntry, spans: readonly KeptSpan[], byteLength: number): TensorEntry {
  const size = itemSize(tensor.dtype)
  // A view without elements reads nothing; its offset must be one that a storage of this length can have.
  if (tensor.shape.includes(0))
    return { ...tensor, storageOffset: Math.min(tensor.storageOffset, Math.floor(byteLength / size)) }
  const start = tensor.storageOffset * size
  // The last span that begins at or before the view: halved, because a storage may have 100,000 views and as many spans.
  let low = 0
  for (let high = spans.length; high - low > 1;) {
    const middle = (low + high) >> 1
    if (spans[middle]!.start <= start) low = middle
    else high = middle
  }
  const { start: from, before } = spans[low]!
  return { ...tensor, storageOffset: (before + start - from) / size }
}

function warningOf(storages: readonly StorageEntry[], compacted: ReadonlyMap<number, Compacted>): string {
  let leftOut = 0
  const names: string[] = []
  for (const [index, { byteLength }] of compacted) {
    const storage = storages[index]!
    const bytes = storage.byteLength - byteLength
    leftOut += bytes
    if (names.length < NAMED)
      names.push(
        `${bytes.toLocaleString('en-US')} of ${storage.byteLength.toLocaleString('en-US')} in ${quoted(storage.key)}`,
      )
  }
  const more = compacted.size > NAMED ? ` and in ${compacted.size - NAMED} more` : ''
  return (
    `${leftOut.toLocaleString('en-US')} bytes that no tensor reaches were left out (${names.join(', ')}${more}): tensors were saved as ` +
    'views of larger ones; .clone() them before torch.save to make the file as small'
  )
}
