import { open, type FileHandle } from 'node:fs/promises'
import type { Parameter } from '../architecture/index.ts'
import type { ParameterData, ParameterSource } from '../engine/index.ts'
import { AppError } from '../error.ts'
import { itemSize, numel, type DType } from '../tensor/index.ts'
import { castBetween } from './cast.ts'
import { readExactly } from '../container/index.ts'

/** Dense, row-major, little-endian values of a tensor of a checkpoint. */
export type DenseValues =
  | {
      readonly kind: 'file'
      readonly dtype: DType
      readonly path: string
      readonly offset: number
      readonly length: number
    }
  | { readonly kind: 'bytes'; readonly dtype: DType; readonly bytes: Uint8Array }

/** What is read, converted and written at a time; a whole number of elements of every dtype. */
const PIECE_BYTES = 1 << 20
/** torch aligns tensors to this in its own files; engines read aligned values faster. */
const ALIGNMENT = 64

/**
 * Values of parameters as an engine takes them: as they lie in their files where the dtype is the graph's own, else
 * converted into one new file, as load_state_dict copies into the model's dtype.
 * @param values parameter name → values. Shapes are the parameters' (binding has compared them), or [1] for a scalar.
 * @param file path of the file to write; it is only made when there is something to convert.
 * @throws AppError CHECKPOINT_CORRUPT when there are more or fewer bytes than the shape needs.
 */
export async function prepareParameters(
  parameters: readonly Parameter[],
  values: ReadonlyMap<string, DenseValues>,
  file: string,
): Promise<ParameterSource> {
  const prepared = new Map<string, ParameterData>()
  let converted: Converted | null = null
  try {
    for (const { name, dtype, shape } of parameters) {
      const source = values.get(name)
      if (source === undefined) continue
      const elements = numel(shape)
      checkLength(name, source, elements)
      if (source.kind === 'file' && source.dtype === dtype) {
        const { path, offset, length } = source
        prepared.set(name, { dtype, shape, path, offset, length })
        continue
      }
      converted ??= { handle: await open(file, 'w'), end: 0 }
      const offset = await convert(converted, source, dtype)
      prepared.set(name, { dtype, shape, path: file, offset, length: elements * itemSize(dtype) })
    }
  } finally {
    await converted?.handle.close()
  }
  return prepared
}

/** The file that is being written. */
interface Converted {
  readonly handle: FileHandle
  end: number
}

function checkLength(name: string, source: DenseValues, elements: number): void {
  const found = source.kind === 'file' ? source.length : source.bytes.byteLength
  const expected = elements * itemSize(source.dtype)
  if (found !== expected)
    throw new AppError(
      'CHECKPOINT_CORRUPT',
      `parameter ${name}: ${found} bytes of ${source.dtype} were found, ${elements} elements need ${expected}`,
    )
}

/** Appends converted values; returns where they begin. */
async function convert(to: Converted, source: DenseValues, dtype: DType): Promise<number> {
  const begin = Math.ceil(to.end / ALIGNMENT) * ALIGNMENT
  const cast = castBetween(source.dtype, dtype)
  let end = begin
  for await (const piece of pieces(source)) {
    const out = new Uint8Array((piece.byteLength / itemSize(source.dtype)) * itemSize(dtype))
    cast(piece, out)
    await writeAll(to.handle, out, end)
    end += out.byteLength
  }
  to.end = end
  return begin
}

async function* pieces(source: DenseValues): AsyncGenerator<Uint8Array> {
  if (source.kind === 'bytes') {
    for (let at = 0; at < source.bytes.byteLength; at += PIECE_BYTES) yield source.bytes.subarray(at, at + PIECE_BYTES)
    return
  }
  const { path, offset, length } = source
  const file = await open(path, 'r')
  try {
    const piece = new Uint8Array(Math.min(PIECE_BYTES, length))
    for (let at = 0; at < length; at += PIECE_BYTES) {
      const part = piece.subarray(0, Math.min(PIECE_BYTES, length - at))
      await readExactly(file, part, offset + at, path)
      yield part
    }
  } finally {
    await file.close()
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.byteLength;)
    at += (await file.write(bytes, at, bytes.byteLength - at, position + at)).bytesWritten
}
