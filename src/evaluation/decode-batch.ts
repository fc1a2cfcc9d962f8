import type { Graph } from '../architecture/index.ts'
import { AppError, invariant } from '../error.ts'
import type { Targets } from '../metric/index.ts'
import { itemSize, numel, typedArrayOf, type DType, type Shape, type Tensor, type TensorMap } from '../tensor/index.ts'
import { castBetween, type Cast } from './cast.ts'
import type { DatasetFit, LabelFit, SamplesFit } from './dataset-fit.ts'
import { sliceCode, type SliceFit } from './fit-slices.ts'
import { preprocessor, type Preprocess } from './preprocess.ts'
import { rowBytes, type RowReader } from './row-reader.ts'

/** Samples that are ready for the engine. */
export interface DecodedBatch {
  /** Row of the first sample. */
  readonly first: number
  readonly n: number
  readonly inputs: TensorMap
  readonly targets: Targets
  /** How much each sample counts; absent where it is 1. */
  readonly weights?: Float64Array | undefined
  /** For each slicing key the slice of each sample. */
  readonly slices: readonly Float64Array[]
}

/** Reads batches; inputs that came back from the engine are given to `recycle` and used again. */
export interface BatchDecoder {
  decode(first: number, n: number): Promise<DecodedBatch>
  recycle(inputs: TensorMap): void
}

/** A decoder of the columns that a fit and slicing keys name. */
export function batchDecoder(
  graph: Graph,
  fit: DatasetFit,
  slices: readonly SliceFit[],
  columns: ReadonlyMap<string, RowReader>,
): BatchDecoder {
  const features = featureDecoders(graph, fit, columns)
  const targets = targetDecoder(readerOf(columns, fit.labels.column), fit.labels)
  const weights = fit.weights === null ? null : numberDecoder(readerOf(columns, fit.weights))
  const values = slices.map((slice) => ({ slice, decode: numberDecoder(readerOf(columns, slice.column)) }))
  return {
    async decode(first, n) {
      const tensors = features.map(async ({ input, decoder }) => [input, await decoder.decode(first, n)] as const)
      const codes = values.map(async ({ slice, decode }) =>
        (await decode(first, n)).map((value) => sliceCode(slice, value)),
      )
      const [inputs, labels, weight, ...own] = await Promise.all([
        Promise.all(tensors),
        targets(first, n),
        weights?.(first, n),
        ...codes,
      ])
      return { first, n, inputs: new Map(inputs), targets: labels, weights: weight, slices: own }
    },
    recycle(inputs) {
      for (const { input, decoder } of features) decoder.recycle(inputs.get(input)!)
    },
  }
}

/**
 * All rows of columns, as a run decodes them.
 * @returns targets: null when the fit has no labels.
 */
export async function decodeSamples(
  graph: Graph,
  fit: SamplesFit,
  columns: ReadonlyMap<string, RowReader>,
  n: number,
): Promise<{ readonly inputs: TensorMap; readonly targets: Targets | null }> {
  const inputs = new Map<string, Tensor>()
  for (const { input, decoder } of featureDecoders(graph, fit, columns)) inputs.set(input, await decoder.decode(0, n))
  const { labels } = fit
  const targets = labels === null ? null : await targetDecoder(readerOf(columns, labels.column), labels)(0, n)
  return { inputs, targets }
}

function featureDecoders(graph: Graph, { inputs }: SamplesFit, columns: ReadonlyMap<string, RowReader>) {
  return inputs.map(({ input, column, shape, preprocess }) => {
    const value = graph.inputs.find((candidate) => candidate.name === input)
    invariant(value !== undefined, `no graph input ${input}`)
    return { input, decoder: tensorDecoder(readerOf(columns, column), value.dtype, shape, preprocess) }
  })
}

function readerOf(columns: ReadonlyMap<string, RowReader>, name: string): RowReader {
  const reader = columns.get(name)
  invariant(reader !== undefined, `no reader of column ${name}`)
  return reader
}

interface TensorDecoder {
  decode(first: number, n: number): Promise<Tensor>
  recycle(tensor: Tensor): void
}

/**
 * Rows as tensors of the graph's dtype. Memory that comes back is used for the next batch of the same size: fresh memory has to be
 * zeroed and mapped page by page, which costs as much as the reading.
 */
function tensorDecoder(reader: RowReader, dtype: DType, shape: Shape, preprocess?: Preprocess): TensorDecoder {
  const cast = preprocess === undefined ? castTo(reader, dtype) : castAfter(reader, dtype, preprocess)
  const elements = numel(shape)
  const size = rowBytes(reader)
  const free: ArrayBuffer[] = []
  const staging = reusable()
  const take = (bytes: number): ArrayBuffer => {
    const found = free.pop()
    return found?.byteLength === bytes ? found : new ArrayBuffer(bytes)
  }
  return {
    async decode(first, n) {
      const target = new Uint8Array(take(n * elements * itemSize(dtype)))
      if (cast === null) await reader.read(first, target)
      else
        await staging(
          n * size,
          (bytes) => reader.read(first, bytes),
          (bytes) => cast(bytes, target),
        )
      return { dtype, shape: [n, ...shape], data: typedArrayOf(dtype, target) }
    },
    recycle({ data }) {
      if (data.buffer instanceof ArrayBuffer) free.push(data.buffer)
    },
  }
}

/** Null where nothing is to be done. */
const castTo = (reader: RowReader, dtype: DType): Cast | null =>
  reader.dtype === dtype ? null : castBetween(reader.dtype, dtype)

/** By way of float32, where the values are preprocessed. */
function castAfter(reader: RowReader, dtype: DType, preprocess: Preprocess): Cast {
  const [before, after] = [castBetween(reader.dtype, 'float32'), castBetween('float32', dtype)]
  const apply = preprocessor(preprocess, reader.shape)
  let values = new Float32Array(0)
  return (source, target) => {
    const elements = source.byteLength / itemSize(reader.dtype)
    if (values.length < elements) values = new Float32Array(elements)
    const own = values.subarray(0, elements)
    const bytes = new Uint8Array(own.buffer, 0, own.byteLength)
    before(source, bytes)
    apply(own)
    after(bytes, target)
  }
}

/** Rows as float64 numbers. */
export function numberDecoder(reader: RowReader): (first: number, n: number) => Promise<Float64Array<ArrayBuffer>> {
  const cast: Cast = castBetween(reader.dtype, 'float64')
  const size = rowBytes(reader)
  const staging = reusable()
  return async (first, n) => {
    const numbers = new Float64Array((n * size) / itemSize(reader.dtype))
    await staging(
      n * size,
      (bytes) => reader.read(first, bytes),
      (bytes) => cast(bytes, new Uint8Array(numbers.buffer)),
    )
    return numbers
  }
}

/** Labels as numbers: class indexes of the model, or values. */
function targetDecoder(
  reader: RowReader,
  { column, classOf }: LabelFit,
): (first: number, n: number) => Promise<Targets> {
  const decode = numberDecoder(reader)
  return async (first, n) => {
    const targets = await decode(first, n)
    if (classOf !== null)
      for (let i = 0; i < targets.length; i++) {
        const code = targets[i]!
        const index = classOf[code]
        if (index === undefined)
          throw new AppError(
            'DATASET_LABEL_UNKNOWN',
            `sample ${first + i} has the label code ${code} in column ${column}, which has ${classOf.length} label names`,
          )
        targets[i] = index
      }
    return targets
  }
}

/** Memory for bytes before they are converted: one piece for each read that is under way at once. */
function reusable(): <T>(
  bytes: number,
  fill: (bytes: Uint8Array) => Promise<void>,
  use: (bytes: Uint8Array) => T,
) => Promise<T> {
  const free: Uint8Array[] = []
  return async (bytes, fill, use) => {
    const found = free.pop()
    const memory = found !== undefined && found.byteLength >= bytes ? found : new Uint8Array(bytes)
    const part = memory.subarray(0, bytes)
    await fill(part)
    const result = use(part)
    free.push(memory)
    return result
  }
}
