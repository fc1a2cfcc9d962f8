import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Graph } from '../../src/architecture/index.ts'
import { threadedEngine, type Session, type ThreadedEngine } from '../../src/engine/index.ts'
import {
  bytesRows,
  evaluateShard,
  fileRows,
  fitDataset,
  type DatasetFacts,
  type Progress,
  type RowReader,
  type Shard,
} from '../../src/evaluation/index.ts'
import type { Task } from '../../src/metric/index.ts'
import type { DType, Shape, TypedArray } from '../../src/tensor/index.ts'
import { compiled } from '../compiled.ts'
import { mergedReport } from './fixture-case.ts'
import { floats, graph, linear, node, noise, parameter, value } from '../engine/graphs.ts'
import { parameterFile, temporaryFolder } from '../engine/parameter-file.ts'

let engine: ThreadedEngine
let folder: Awaited<ReturnType<typeof temporaryFolder>>
beforeAll(async () => {
  engine = await threadedEngine(compiled('engine/onnxruntime/index.js'))
  folder = await temporaryFolder()
})
afterAll(async () => {
  await engine[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

const bytesOf = ({ buffer, byteOffset, byteLength }: TypedArray) => new Uint8Array(buffer, byteOffset, byteLength)

interface Column {
  readonly dtype: DType
  readonly shape: Shape
  readonly data: TypedArray
}

/** A shard over columns x and y whose logits are `scale`·x. */
async function scaledShard(
  task: Task,
  x: Column,
  y: Column,
  more: Partial<Shard> & { readonly width: number; readonly labelNames?: string[]; readonly classes?: string[] },
): Promise<Shard & AsyncDisposable> {
  const scale = parameter('scale', [more.width])
  const scaled: Graph = graph({
    inputs: [value('x', [more.width])],
    outputs: [value('logits', [more.width])],
    nodes: [node('Mul', ['x', 'scale'], 'logits')],
    parameters: [scale],
  })
  const rows = y.data.length / y.shape.reduce((product, size) => product * size, 1)
  const numbers = [...y.data].map(Number)
  const facts: DatasetFacts = {
    rows,
    columns: [
      { name: 'x', role: 'FEATURE', dtype: x.dtype, shape: x.shape, statistics: { min: 0, max: 1, integral: false } },
      {
        name: 'y',
        role: 'LABEL',
        dtype: y.dtype,
        shape: y.shape,
        names: more.labelNames,
        statistics: { min: Math.min(...numbers), max: Math.max(...numbers), integral: numbers.every(Number.isInteger) },
      },
    ],
  }
  const parameters = await parameterFile(join(folder.path, 'scale'), scaled, {
    scale: new Float32Array(more.width).fill(2),
  })
  const session = await engine.load(scaled, parameters, 'cpu', { threads: 1 })
  return {
    session,
    graph: scaled,
    task,
    fit: fitDataset({ graph: scaled, task, classes: more.classes ?? [] }, facts),
    columns: new Map([
      ['x', bytesRows(x.dtype, x.shape, bytesOf(x.data))],
      ['y', bytesRows(y.dtype, y.shape, bytesOf(y.data))],
    ]),
    rows: { start: 0, end: rows },
    batchSize: 3,
    signal: new AbortController().signal,
    onProgress: () => undefined,
    clock: performance,
    ...more,
    async [Symbol.asyncDispose]() {
      await session[Symbol.asyncDispose]()
    },
  }
}

const metric = async (shard: Shard, name: string, average: string | null = null) => {
  const { metrics } = mergedReport(shard.task, shard.fit.classes, [(await evaluateShard(shard)).state])
  return metrics.find((each) => each.name === name && each.average === average && each.class === null)!.value
}

const column = (dtype: DType, shape: Shape, data: TypedArray): Column => ({ dtype, shape, data })

describe('features', () => {
  // Rows whose largest number is at 0, 1, 2, 2.
  const rows = [9, 0, 1, 1, 5, 2, 3, 4, 8, 0, 0, 7]
  const labels = column('int64', [], BigInt64Array.of(0n, 1n, 2n, 1n))

  test.each<[DType, TypedArray]>([
    ['float32', Float32Array.from(rows)],
    ['float64', Float64Array.from(rows)],
    ['uint8', Uint8Array.from(rows)],
    ['int16', Int16Array.from(rows)],
    ['int64', BigInt64Array.from(rows.map(BigInt))],
    [
      'float16',
      Uint16Array.from(rows, (x) => [0, 0x3c00, 0x4000, 0x4200, 0x4400, 0x4500, 0x4600, 0x4700, 0x4800, 0x4880][x]!),
    ],
    ['bfloat16', Uint16Array.from(rows, (x) => new Uint32Array(Float32Array.of(x).buffer)[0]! >>> 16)],
  ])('of dtype %s become the graph’s', async (dtype, data) => {
    for (const batchSize of [1, 3, 4, 100]) {
      await using shard = await scaledShard('MULTICLASS', column(dtype, [3], data), labels, { width: 3, batchSize })
      expect(await metric(shard, 'accuracy')).toBe(0.75)
    }
  })

  test('are read from a file by rows', async () => {
    const path = join(folder.path, 'column')
    await writeFile(path, Buffer.concat([Buffer.alloc(12, 0xff), bytesOf(Float32Array.from(rows))]))
    await using file = await fileRows({ path, offset: 12, dtype: 'float32', shape: [3], rows: 4 })
    await using shard = await scaledShard('MULTICLASS', column('float32', [3], Float32Array.from(rows)), labels, {
      width: 3,
    })
    const columns = new Map<string, RowReader>([...shard.columns, ['x', file]])
    expect(await metric({ ...shard, columns }, 'accuracy')).toBe(0.75)
    await expect(fileRows({ path, offset: 12, dtype: 'float32', shape: [3], rows: 5 })).rejects.toThrow(
      '5 rows of 12 bytes',
    )
  })
})

describe('labels', () => {
  const x = column('float32', [3], Float32Array.of(9, 0, 1, 1, 5, 2, 3, 4, 8))

  test('that are strings count as the classes of those names', async () => {
    const y = column('int64', [], BigInt64Array.of(2n, 0n, 1n))
    const names = { labelNames: ['b', 'c', 'z'], classes: ['z', 'b', 'c'] }
    await using shard = await scaledShard('MULTICLASS', x, y, { width: 3, ...names })
    expect(await metric(shard, 'accuracy')).toBe(1)
  })

  test('outside of the names they code are refused by row', async () => {
    const y = column('int64', [], BigInt64Array.of(2n, 0n, 7n))
    const names = { labelNames: ['b', 'c', 'z'], classes: ['z', 'b', 'c'] }
    await using shard = await scaledShard('MULTICLASS', x, y, { width: 3, ...names })
    await expect(evaluateShard(shard)).rejects.toMatchObject({
      code: 'DATASET_LABEL_UNKNOWN',
      message: expect.stringMatching(/sample 2 has the label code 7/) as unknown,
    })
  })

  test('of REGRESSION and MULTILABEL are rows of numbers', async () => {
    const y = column(
      'float64',
      [3],
      Float64Array.from(x.data as Float32Array, (v) => 2 * v + 0.5),
    )
    await using regression = await scaledShard('REGRESSION', x, y, { width: 3, batchSize: 2 })
    expect(await metric(regression, 'mae')).toBeCloseTo(0.5, 12)
    const z = column('float32', [3], Float32Array.of(-1, 2, 3, -4, -5, 6, -7, -8, -9))
    const truth = column('uint8', [3], Uint8Array.of(0, 1, 1, 0, 0, 1, 0, 0, 1))
    await using labels = await scaledShard('MULTILABEL', z, truth, { width: 3, batchSize: 2 })
    expect(await metric(labels, 'accuracy')).toBeCloseTo(2 / 3, 12)
  })
})

test('the threshold decides what is positive', async () => {
  const x = column('float32', [1], Float32Array.of(-1, 0.2, 0.4, 1))
  const y = column('uint8', [], Uint8Array.of(1, 1, 1, 1))
  // Sigmoids of twice that: 0.12, 0.60, 0.69, 0.88.
  for (const [threshold, recall] of [
    [undefined, 0.75],
    [0.65, 0.5],
    [0.1, 1],
    [0.9, 0],
  ] as const) {
    await using shard = await scaledShard('BINARY', x, y, { width: 1, options: { threshold } })
    expect(await metric(shard, 'recall')).toBe(recall)
  }
})

describe('logits', () => {
  const y = column('int64', [], new BigInt64Array(20))
  const withLogit = (row: number, output: number, logit: number) => {
    const data = noise(60, 1)
    data[row * 3 + output] = logit / 2
    return column('float32', [3], data)
  }

  test.each([
    [NaN, 17, 1],
    [Infinity, 0, 0],
  ])('of %p stop the shard and name the sample', async (logit, row, output) => {
    await using shard = await scaledShard('MULTICLASS', withLogit(row, output, logit), y, { width: 3, batchSize: 7 })
    await expect(evaluateShard(shard)).rejects.toMatchObject({
      code: 'LOGITS_NOT_FINITE',
      message: expect.stringContaining(`answered ${logit} for sample ${row} (output ${output})`) as unknown,
    })
  })

  test('of -Infinity are a class that is ruled out', async () => {
    await using shard = await scaledShard('MULTICLASS', withLogit(5, 2, -Infinity), y, { width: 3 })
    expect(await metric(shard, 'logLoss')).toBeGreaterThan(0)
    const values = column('float32', [3], noise(60, 2))
    await using regression = await scaledShard('REGRESSION', withLogit(5, 2, -Infinity), values, { width: 3 })
    await expect(evaluateShard(regression)).rejects.toMatchObject({ code: 'LOGITS_NOT_FINITE' })
  })
})

describe('a shard', () => {
  const x = column('float32', [3], noise(3000, 4))
  const y = column(
    'int64',
    [],
    BigInt64Array.from({ length: 1000 }, (_, i) => BigInt(i % 3)),
  )

  test('counts the rows of its range and no other', async () => {
    await using shard = await scaledShard('MULTICLASS', x, y, { width: 3 })
    const states = []
    for (const rows of [
      { start: 0, end: 0 },
      { start: 0, end: 401 },
      { start: 401, end: 402 },
      { start: 402, end: 1000 },
    ]) {
      const result = await evaluateShard({ ...shard, rows, batchSize: 64 })
      expect(result.samples).toBe(rows.end - rows.start)
      expect(JSON.parse(JSON.stringify(result.state))).toEqual(result.state)
      states.push(result.state)
    }
    const whole = mergedReport('MULTICLASS', shard.fit.classes, [(await evaluateShard(shard)).state])
    expect(mergedReport('MULTICLASS', shard.fit.classes, states)).toEqual(whole)
    expect(mergedReport('MULTICLASS', shard.fit.classes, states.toReversed())).toEqual(whole)
  })

  test.each([0, -1, 1.5, NaN])('refuses a batch size of %p', async (batchSize) => {
    await using shard = await scaledShard('MULTICLASS', x, y, { width: 3, batchSize })
    await expect(evaluateShard(shard)).rejects.toMatchObject({ code: 'BAD_INPUT' })
  })

  test('reports progress at most five times a second of its clock, growing to the total', async () => {
    await using shard = await scaledShard('MULTICLASS', x, y, { width: 3, batchSize: 10 })
    let now = 0
    const seen: (Progress & { readonly at: number })[] = []
    // Each look at the clock is 30 ms later than the last.
    const clock = { now: () => (now += 30) }
    await evaluateShard({ ...shard, clock, onProgress: (progress) => seen.push({ ...progress, at: now }) })
    // 100 batches in 3 seconds.
    expect(seen.length).toBeGreaterThanOrEqual(10)
    expect(seen.length).toBeLessThanOrEqual(15)
    seen.slice(1).forEach(({ at, samples }, i) => {
      expect(at - seen[i]!.at).toBeGreaterThanOrEqual(200)
      expect(samples).toBeGreaterThan(seen[i]!.samples)
    })
    const { samples, total, samplesPerSecond, etaSeconds, running } = seen.at(-1)!
    expect(total).toBe(1000)
    expect(samplesPerSecond).toBeCloseTo(10 / 0.03, 0)
    expect(etaSeconds).toBeCloseTo((total - samples) / samplesPerSecond, 9)
    expect(running).toMatchObject({
      samples,
      accuracy: expect.any(Number) as unknown,
      f1: expect.any(Number) as unknown,
    })
  })

  test('ends at once when it is aborted, and leaves the session usable', async () => {
    const controller = new AbortController()
    await using shard = await scaledShard('MULTICLASS', x, y, { width: 3, batchSize: 1, signal: controller.signal })
    let batches = 0
    const session: Session = {
      ...shard.session,
      run(inputs) {
        if (++batches === 10) controller.abort(new Error('cancelled'))
        return shard.session.run(inputs)
      },
    }
    await expect(evaluateShard({ ...shard, session })).rejects.toThrow('cancelled')
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(batches).toBeLessThanOrEqual(12)
    const { outputs } = await shard.session.run(new Map([['x', floats([1, 3], [1, 2, 3])]]))
    expect(outputs.get('logits')!.data).toEqual(Float32Array.of(2, 4, 6))
  })

  test('fails when the engine does', async () => {
    await using shard = await scaledShard('MULTICLASS', x, y, { width: 3 })
    await shard.session[Symbol.asyncDispose]()
    await expect(evaluateShard(shard)).rejects.toMatchObject({ code: 'ENGINE_FAILED' })
  })

  test('takes no more memory for more samples', async () => {
    // 40,000 samples of 1,000 features: 160 MB that are never in memory at once.
    const narrowing = graph({
      inputs: [value('x', [1000])],
      outputs: [value('logits', [3])],
      nodes: [linear('x', 'fc', 'logits')],
      parameters: [parameter('fc.weight', [3, 1000]), parameter('fc.bias', [3])],
    })
    const weights = { 'fc.weight': noise(3000, 1), 'fc.bias': noise(3, 2) }
    const parameters = await parameterFile(join(folder.path, 'fc'), narrowing, weights)
    await using session = await engine.load(narrowing, parameters, 'cpu', { threads: 1 })
    await using shard = await scaledShard('MULTICLASS', x, y, { width: 3, batchSize: 128 })
    const columns = new Map<string, RowReader>([
      [
        'x',
        {
          dtype: 'float32',
          shape: [1000],
          read: (first, into) =>
            Promise.resolve(void new Float32Array(into.buffer, 0, into.byteLength / 4).fill(first % 7)),
        },
      ],
      ['y', { dtype: 'uint8', shape: [], read: (_, into) => Promise.resolve(void into.fill(1)) }],
    ])
    const fit = { ...shard.fit, inputs: [{ input: 'x', column: 'x', shape: [1000] }] }
    const run = (end: number) =>
      evaluateShard({ ...shard, session, graph: narrowing, fit, columns, rows: { start: 0, end } })
    await run(10_000)
    const before = process.memoryUsage.rss()
    expect((await run(40_000)).samples).toBe(40_000)
    expect(process.memoryUsage.rss() - before).toBeLessThan(48 * 2 ** 20)
  })
})
