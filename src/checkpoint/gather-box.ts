import { boxElements, type Axis, type StridedBox } from './strided-box.ts'

/** Bytes of a storage, from byte `offset`, `length` of them. */
export type ReadRange = (offset: number, length: number) => AsyncIterable<Uint8Array>

/** Bytes that are read at once where the elements lie close together. */
const WINDOW = 1 << 20

/** An axis with the distance of its elements in the output. */
interface OutputAxis extends Axis {
  readonly outStride: number
}

/**
 * The elements of a box in row-major order. The storage is walked upwards, largest stride first, through a window, so that
 * a transposed tensor is read in few large reads however its elements are ordered. Elements that lie further apart than an
 * eighth of the window are read one by one.
 */
export async function gatherBox(
  box: StridedBox,
  itemSize: number,
  read: ReadRange,
  windowBytes = WINDOW,
): Promise<Uint8Array> {
  const out = new Uint8Array(boxElements(box) * itemSize)
  if (out.length === 0) return out
  const axes = storageOrder(box)
  const run = axes.pop() ?? { size: 1, stride: 0, outStride: 0 }
  const end =
    (box.offset + [...axes, run].reduce((last, { size, stride }) => last + (size - 1) * stride, 0) + 1) * itemSize
  const step = run.stride * itemSize
  const sparse = windowBytes / 8
  const maxRun = step > sparse ? 1 : Math.max(1, Math.floor(windowBytes / Math.max(step, itemSize)))
  const ahead = step > sparse || (axes.at(-1)?.stride ?? 0) * itemSize > sparse ? 0 : windowBytes
  let window = new Uint8Array()
  let windowStart = 0
  for (const { from, to } of walk(axes, box.offset))
    for (let done = 0; done < run.size; done += maxRun) {
      const count = Math.min(maxRun, run.size - done)
      const start = (from + done * run.stride) * itemSize
      const length = (count - 1) * step + itemSize
      if (start < windowStart || start + length > windowStart + window.length) {
        window = await readAll(read, start, Math.min(Math.max(length, ahead), end - start))
        windowStart = start
      }
      const target = (to + done * run.outStride) * itemSize
      copyRun(window, start - windowStart, step, out, target, run.outStride * itemSize, count, itemSize)
    }
  return out
}

/** The axes of a box, largest stride first. */
function storageOrder({ axes }: StridedBox): OutputAxis[] {
  let outStride = 1
  const withOutput = axes.toReversed().map((axis) => {
    const own = { ...axis, outStride }
    outStride *= axis.size
    return own
  })
  return withOutput.sort((a, b) => b.stride - a.stride)
}

/** Every combination of the axes' positions: the element in the storage, and the element in the output. */
function* walk(axes: readonly OutputAxis[], offset: number): Generator<{ readonly from: number; readonly to: number }> {
  const position = axes.map(() => 0)
  let from = offset
  let to = 0
  for (;;) {
    yield { from, to }
    let axis = axes.length - 1
    // Carry, as in counting.
    for (; axis >= 0; axis--) {
      const { size, stride, outStride } = axes[axis]!
      from += stride
      to += outStride
      if (++position[axis]! < size) break
      from -= size * stride
      to -= size * outStride
      position[axis] = 0
    }
    if (axis < 0) return
  }
}

function copyRun(
  source: Uint8Array,
  sourceAt: number,
  sourceStep: number,
  target: Uint8Array,
  targetAt: number,
  targetStep: number,
  count: number,
  itemSize: number,
): void {
  if (sourceStep === itemSize && targetStep === itemSize) {
    target.set(source.subarray(sourceAt, sourceAt + count * itemSize), targetAt)
    return
  }
  for (let i = 0; i < count; i++) {
    for (let byte = 0; byte < itemSize; byte++) target[targetAt + byte] = source[sourceAt + byte]!
    sourceAt += sourceStep
    targetAt += targetStep
  }
}

async function readAll(read: ReadRange, offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length)
  let at = 0
  for await (const piece of read(offset, length)) {
    bytes.set(piece, at)
    at += piece.length
  }
  return bytes
}
