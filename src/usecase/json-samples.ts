import type { Graph, GraphValue } from '../architecture/index.ts'
import { AppError } from '../error.ts'
import { bytesRows, type ColumnFacts } from '../evaluation/index.ts'
import { itemSize, type DType } from '../tensor/index.ts'
import type { GivenSamples } from './given-samples.ts'
import type { PredictionLimits } from './prediction-limits.ts'

/** Largest finite numbers: what is beyond them would arrive as infinity. */
const LARGEST: Partial<Record<DType, number>> = {
  float16: 65_504,
  bfloat16: (2 - 2 ** -7) * 2 ** 127,
  float32: (2 - 2 ** -23) * 2 ** 127,
}
/** Levels of arrays. */
const MAX_LEVELS = 16

/**
 * Samples as nested arrays of numbers: one array for a graph with a single input, or an object of arrays by input name. The first level
 * is the samples.
 * @throws AppError BAD_INPUT, DATASET_SHAPE_MISMATCH, DATASET_NOT_FINITE, LIMIT_EXCEEDED, with the place: `inputs[3][0]`.
 */
export function jsonSamples(graph: Graph, inputs: unknown, limits: PredictionLimits): GivenSamples {
  const arrays = arraysByInput(graph, inputs)
  const columns = arrays.map(({ input, value, where }) => readArray(input, value, where, limits))
  const [first] = columns
  const n = first?.n ?? 0
  for (const { where, n: found } of columns)
    if (found !== n)
      throw new AppError(
        'DATASET_SHAPE_MISMATCH',
        `${where} has ${found} samples and ${first!.where} has ${n}; every input needs as many`,
      )
  return {
    facts: { rows: n, columns: columns.map(({ facts }) => facts) },
    n,
    rows: null,
    readers: () =>
      Promise.resolve(
        new Map(columns.map(({ facts: { name, shape }, bytes }) => [name, bytesRows('float64', shape, bytes)])),
      ),
  }
}

function arraysByInput(graph: Graph, inputs: unknown) {
  const names = graph.inputs.map(({ name }) => name)
  if (Array.isArray(inputs)) {
    const [only] = graph.inputs
    if (graph.inputs.length === 1) return [{ input: only!, value: inputs, where: 'inputs' }]
    throw new AppError(
      'BAD_INPUT',
      `inputs is one array, but the model has the inputs ${names.join(', ')}: give an object with an array for each, {${names
        .map((name) => `${JSON.stringify(name)}: […]`)
        .join(', ')}}`,
    )
  }
  if (typeof inputs !== 'object' || inputs === null)
    throw new AppError(
      'BAD_INPUT',
      `inputs is ${show(inputs)}; an array of samples is expected, or an object with one for each input (${names.join(', ')})`,
    )
  const unknown = Object.keys(inputs).filter((name) => !names.includes(name))
  const missing = names.filter((name) => !Object.hasOwn(inputs, name))
  if (unknown.length + missing.length > 0)
    throw new AppError(
      'BAD_INPUT',
      `inputs has the keys ${Object.keys(inputs).map(show).join(', ') || '(none)'}; the model has the inputs ${names.join(', ')}: ` +
        (missing.length > 0 ? `${missing.join(', ')} is missing` : `${unknown.map(show).join(', ')} is none of them`),
    )
  return graph.inputs.map((input) => ({
    input,
    value: (inputs as Record<string, unknown>)[input.name],
    where: `inputs.${input.name}`,
  }))
}

interface JsonColumn {
  readonly where: string
  readonly n: number
  readonly facts: ColumnFacts
  /** float64. */
  readonly bytes: Uint8Array
}

function readArray(input: GraphValue, value: unknown, where: string, limits: PredictionLimits): JsonColumn {
  const shape = shapeOf(value, where)
  const [n, ...sample] = shape
  const expected = input.shape.slice(1)
  if (n === undefined || n === 0)
    throw new AppError(
      'BAD_INPUT',
      `${where} is ${n === 0 ? 'empty' : show(value)}; an array of at least one sample is expected`,
    )
  if (n > limits.samples)
    throw new AppError(
      'LIMIT_EXCEEDED',
      `${where} has ${n} samples; at most ${limits.samples} are predicted at a time: send several requests, or start a run`,
    )
  const fits = (candidate: readonly number[]) =>
    candidate.length === expected.length &&
    expected.every((size, axis) => typeof size === 'string' || size === candidate[axis])
  if (!fits(sample) && !fits([1, ...sample]))
    throw new AppError(
      'DATASET_SHAPE_MISMATCH',
      `${where} has ${n} samples of shape [${sample.join(', ')}], input ${input.name} of the model expects [${expected.join(', ')}]` +
        (fits(shape) ? '; the first level is the samples: for one sample, put it into another array' : ''),
    )
  const count = shape.reduce((a, b) => a * b, 1)
  const bytes = count * itemSize(input.dtype)
  if (bytes > limits.inputBytes)
    throw new AppError(
      'LIMIT_EXCEEDED',
      `${where} has ${count} numbers, which are ${bytes} bytes of ${input.dtype}; at most ${limits.inputBytes} bytes are taken`,
    )
  const { values, statistics } = readNumbers(value, shape, where, input)
  return {
    where,
    n,
    facts: { name: input.name, role: 'FEATURE', dtype: 'float64', shape: sample, statistics },
    bytes: new Uint8Array(values.buffer),
  }
}

/** As the first element of each level says; whether all are so is seen when they are read. */
function shapeOf(value: unknown, where: string): number[] {
  const shape: number[] = []
  for (let level = value; Array.isArray(level); level = (level as unknown[])[0]) {
    shape.push(level.length)
    if (shape.length > MAX_LEVELS)
      throw new AppError(
        'BAD_INPUT',
        `${where} is nested more than ${MAX_LEVELS} levels deep; no input has so many dimensions`,
      )
  }
  return shape
}

function readNumbers(value: unknown, shape: readonly number[], where: string, { name, dtype }: GraphValue) {
  const values = new Float64Array(shape.reduce((a, b) => a * b, 1))
  let [min, max, integral, at] = [Infinity, -Infinity, true, 0]
  const largest = LARGEST[dtype] ?? Number.MAX_VALUE
  const place = (path: readonly number[]) => where + path.map((index) => `[${index}]`).join('')

  const read = (item: unknown, level: number, path: readonly number[]): void => {
    if (level < shape.length) {
      if (!Array.isArray(item) || item.length !== shape[level])
        throw new AppError(
          'DATASET_SHAPE_MISMATCH',
          `${place(path)} is ${Array.isArray(item) ? `an array of ${item.length}` : show(item)}; an array of ${shape[level]!} is expected, ` +
            'as at the first sample: all samples have the same shape',
        )
      for (let i = 0; i < item.length; i++) {
        const child: unknown = item[i]
        // Most are numbers, and have no path until something is wrong.
        if (level + 1 === shape.length && typeof child === 'number' && isGood(child)) add(child)
        else read(child, level + 1, [...path, i])
      }
      return
    }
    if (typeof item !== 'number')
      throw new AppError('BAD_INPUT', `${place(path)} is ${show(item)}; a number is expected`)
    if (!isGood(item))
      throw new AppError(
        'DATASET_NOT_FINITE',
        `${place(path)} is ${item}, which is no finite ${dtype}; input ${name} takes finite numbers`,
      )
    add(item)
  }
  const isGood = (number: number) => Math.abs(number) <= largest
  const add = (number: number) => {
    values[at++] = number
    if (number < min) min = number
    if (number > max) max = number
    if (integral && number !== Math.floor(number)) integral = false
  }
  read(value, 0, [])
  return { values, statistics: { min, max, integral } }
}

/** At most 60 characters of what a client sent. */
function show(value: unknown): string {
  const text = (JSON.stringify(value) as string | undefined) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}
