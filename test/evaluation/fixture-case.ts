import { readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { graphFromLayers, graphFromOnnx, type Graph } from '../../src/architecture/index.ts'
import { findStateDicts, readCheckpoint, tensorBytes } from '../../src/checkpoint/index.ts'
import { fileSource } from '../../src/container/index.ts'
import { openDataset } from '../../src/dataset/index.ts'
import type { Engine, ParameterSource } from '../../src/engine/index.ts'
import {
  bindStateDict,
  bytesRows,
  defaultBatchSize,
  evaluateShard,
  fitDataset,
  prepareParameters,
  requireBound,
  type ColumnFacts,
  type DatasetFit,
  type DenseValues,
  type RowReader,
  type Shard,
  type StateDictEntry,
} from '../../src/evaluation/index.ts'
import { taskAccumulator, type Task, type TaskReport, type TaskState } from '../../src/metric/index.ts'

const FIXTURES = new URL('../fixtures/', import.meta.url).pathname
const never = new AbortController().signal

/** A checkpoint, an architecture and a dataset of test/fixtures, ready to be evaluated. */
export interface FixtureCase {
  readonly graph: Graph
  readonly task: Task
  readonly fit: DatasetFit
  readonly rows: number
  readonly columns: ReadonlyMap<string, RowReader>
  readonly parameters: ParameterSource
}

/** Files of a case. */
export interface FixtureFiles {
  readonly architecture: string
  readonly checkpoint: string
  readonly dataset: string
  readonly task: Task
  readonly stripPrefix?: string
  /** Made of the graph before weights are bound. */
  readonly change?: (graph: Graph) => Graph
}

/** Reads, binds and fits as a worker does, with the weights in `folder`. */
export async function fixtureCase(files: FixtureFiles, folder: string): Promise<FixtureCase> {
  const read = await architecture(files.architecture)
  const graph = files.change?.(read) ?? read
  const { facts, columns } = await dataset(files.dataset)
  const { task } = files
  return {
    graph,
    task,
    fit: fitDataset({ graph, task, classes: [] }, facts),
    rows: facts.rows,
    columns,
    parameters: await weights(graph, files, join(folder, 'weights')),
  }
}

async function architecture(name: string): Promise<Graph> {
  const bytes = await readFile(resolve(FIXTURES, name))
  return name.endsWith('.json') ? graphFromLayers(JSON.parse(bytes.toString())) : graphFromOnnx(bytes)
}

async function dataset(name: string) {
  await using source = await fileSource(resolve(FIXTURES, name))
  await using file = await openDataset(source)
  const columns = new Map<string, RowReader>()
  const facts: ColumnFacts[] = []
  for (const [index, column] of file.columns.entries()) {
    const pieces: Uint8Array[] = []
    for await (const piece of file.read(index)) pieces.push(piece.slice())
    columns.set(column.name, bytesRows(column.dtype, column.shape, Buffer.concat(pieces)))
    facts.push({ ...column, statistics: file.statistics(index) })
  }
  return { facts: { rows: file.rows, columns: facts }, columns }
}

async function weights(
  graph: Graph,
  { checkpoint: name, stripPrefix }: FixtureFiles,
  path: string,
): Promise<ParameterSource> {
  await using checkpoint = await readCheckpoint(await fileSource(resolve(FIXTURES, name)))
  const [stateDict] = findStateDicts(checkpoint)
  const entries = new Map(
    [...stateDict!.tensors].map(([key, index]): [string, StateDictEntry] => [key, checkpoint.tensors[index]!]),
  )
  const report = requireBound(
    bindStateDict({
      className: 'Model',
      parameters: graph.parameters,
      entries,
      strict: true,
      keyMapping: { stripPrefix },
    }),
  )
  const values = new Map<string, DenseValues>()
  let file: Uint8Array = new Uint8Array(0)
  for (const { parameter, key, found } of report.bound) {
    const pieces: Uint8Array[] = []
    for await (const piece of tensorBytes(checkpoint, stateDict!.tensors.get(key)!)) pieces.push(piece.slice())
    const bytes = Buffer.concat(pieces)
    values.set(parameter, { kind: 'file', dtype: found.dtype, path, offset: file.byteLength, length: bytes.byteLength })
    file = Buffer.concat([file, bytes])
  }
  await writeFile(path, file)
  return await prepareParameters(graph.parameters, values, `${path}.converted`)
}

/** The metrics of a run from the states of all its shards. */
export function mergedReport(task: Task, classes: readonly string[], states: readonly TaskState[]): TaskReport {
  const accumulator = taskAccumulator(task, { classes })
  return accumulator.compute(states.reduce((sum, state) => accumulator.merge(sum, state), accumulator.empty()))
}

/** Evaluates a case in shards of these rows, one after the other in one session. */
export async function evaluateCase(
  engine: Engine,
  fixture: FixtureCase,
  more: Partial<Shard> = {},
  cuts: readonly number[] = [],
): Promise<TaskReport> {
  const { graph, task, fit, rows, columns, parameters } = fixture
  await using session = await engine.load(graph, parameters, 'cpu', { threads: 2 })
  const ends = [...cuts, rows]
  const states = []
  for (const [index, end] of ends.entries()) {
    const shard = { start: ends[index - 1] ?? 0, end }
    const result = await evaluateShard({
      session,
      graph,
      task,
      fit,
      columns,
      rows: shard,
      batchSize: defaultBatchSize(graph),
      signal: never,
      onProgress: () => undefined,
      clock: performance,
      ...more,
    })
    states.push(result.state)
  }
  return mergedReport(task, fit.classes, states)
}

/** The float32 array of a .npy file of the fixtures (little-endian, C order), without its header. */
export async function expectedLogits(name: string): Promise<Float32Array> {
  const bytes = await readFile(resolve(FIXTURES, `${name}.logits.npy`))
  const header = 10 + bytes.readUInt16LE(8)
  return new Float32Array(Uint8Array.from(bytes.subarray(header)).buffer)
}

/** What PyTorch and scikit-learn found. */
export async function expectedMetrics(name: string): Promise<Readonly<Record<string, unknown>>> {
  const { cases } = JSON.parse(await readFile(resolve(FIXTURES, 'expected.json'), 'utf8')) as {
    cases: Record<string, { metrics: Record<string, unknown> }>
  }
  return cases[name]!.metrics
}
