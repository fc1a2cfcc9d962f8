import { AppError } from '../error.ts'
import {
  LEAST_REPLICATES,
  mcNemar,
  OUTCOME,
  pairInThread,
  PAIRED_SAMPLES,
  type DifferenceInterval,
  type JointCell,
  type McNemarTest,
  type PairedSamples,
  type TaskOptions,
} from '../metric/index.ts'
import type { MetricRow } from '../store/index.ts'
import { readColumnNumbers, readIds } from './dataset-rows.ts'
import { labelsOf, loadKeptRun, mustKeepSamples, type KeptRun } from './load-kept-run.ts'
import { runMetricOptions } from './metric-options.ts'
import type { Platform } from './platform.ts'
import { readChunkLogits, scanSamples, type SampleChunkRows } from './sample-scan.ts'

/** Two runs on the same data. */
export interface RunPair {
  readonly base: KeptRun
  readonly other: KeptRun
}

/** A metric of two runs. */
export interface MetricDifference {
  readonly name: string
  readonly average: string | null
  readonly class: string | null
  readonly base: number | null
  readonly other: number | null
  readonly difference: number | null
  readonly interval: DifferenceInterval['interval']
  /** Why there is no interval. */
  readonly reason: string | null
}

/** A sample that two runs answered differently. */
export interface SampleChange {
  readonly row: number
  readonly id: string | null
  readonly trueLabels: readonly string[]
  readonly baseLabels: readonly string[]
  readonly labels: readonly string[]
  readonly baseConfidence: number
  readonly confidence: number
}

/** Runs of one comparison. */
const MOST_RUNS = 10
/** Bytes of logits that a bootstrap has in memory. */
const PAIRED_BYTES = 64 * 2 ** 20

/**
 * The runs to compare, each with the first.
 * @throws AppError NOT_FOUND; BAD_INPUT when there are too few or too many, or for runs that cannot be compared: the message says what differs.
 */
export async function loadRunPairs(platform: Platform, ids: readonly string[]): Promise<RunPair[]> {
  if (ids.length < 2 || ids.length > MOST_RUNS || new Set(ids).size !== ids.length)
    throw new AppError('BAD_INPUT', `${ids.length} runs were given; 2 to ${MOST_RUNS} different ones can be compared`)
  const runs = await Promise.all(ids.map((id) => loadKeptRun(platform, id)))
  for (const [i, { row }] of runs.entries())
    if (row.status !== 'SUCCEEDED')
      throw new AppError('BAD_INPUT', `run ${i + 1} is ${row.status}; runs are compared when they have SUCCEEDED`)
  const [base, ...others] = runs as [KeptRun, ...KeptRun[]]
  return others.map((other, i) => {
    const differs = whatDiffers(base, other)
    if (differs !== null) throw new AppError('BAD_INPUT', `runs 1 and ${i + 2} cannot be compared: ${differs}`)
    return { base, other }
  })
}

function whatDiffers(base: KeptRun, other: KeptRun): string | null {
  if (base.dataset.id !== other.dataset.id)
    return `they are on different data, ${nameOf(base)} and ${nameOf(other)}; evaluate both on the same version of a dataset`
  if (base.task !== other.task) return `their tasks are ${base.task} and ${other.task}`
  if (base.fit.classes.join('\0') !== other.fit.classes.join('\0'))
    return `their classes are ${some(base.fit.classes)} and ${some(other.fit.classes)}`
  const ignored = [base, other].map(({ row }) => runMetricOptions(row).ignoreIndex)
  return ignored[0] === ignored[1] ? null : 'they count different samples: their ignoreIndex differs'
}

const nameOf = ({ dataset: { name, version } }: KeptRun): string => `${name} version ${version}`
const some = (names: readonly string[]): string => `${names.slice(0, 5).join(', ')}${names.length > 5 ? ', …' : ''}`

/**
 * Every metric that both runs have, with the interval of its difference.
 * @param names only these metrics.
 * @param signal ends the bootstrap.
 */
export async function metricDifferences(
  platform: Platform,
  pair: RunPair,
  names: readonly string[] | null,
  signal: AbortSignal,
): Promise<MetricDifference[]> {
  const { base, other } = pair
  const [ofBase, ofOther] = await Promise.all([metricsOf(platform, base, names), metricsOf(platform, other, names)])
  const values = new Map(ofOther.map((metric) => [keyOf(metric), metric.value]))
  const shared = ofBase.filter((metric) => values.has(keyOf(metric)))
  const found = await intervalsOf(platform, pair, signal)
  return shared.map((metric) => {
    const value = values.get(keyOf(metric)) ?? null
    const drawn = found.intervals?.get(keyOf(metric))
    const interval = drawn?.interval ?? null
    return {
      ...{ name: metric.name, average: metric.average, class: metric.class },
      base: metric.value,
      other: value,
      difference: metric.value === null || value === null ? null : value - metric.value,
      interval,
      reason: interval !== null ? null : (found.reason ?? (drawn === undefined ? TOO_MANY : SAME)),
    }
  })
}

const TOO_MANY = `there are more than ${PAIRED_SAMPLES / 2 / LEAST_REPLICATES} samples: only what is counted by class is drawn again`
const SAME = 'the samples leave none to tell'

const keyOf = ({
  name,
  average,
  class: of,
}: Pick<DifferenceInterval, 'name' | 'class'> & { average: string | null }): string =>
  JSON.stringify([name, average, of])

const metricsOf = ({ store }: Platform, { id }: KeptRun, names: readonly string[] | null): Promise<MetricRow[]> =>
  store.prisma.metric.findMany({
    where: { runId: id, ...(names === null ? {} : { name: { in: [...names] } }) },
    orderBy: { position: 'asc' },
  })

interface Intervals {
  readonly intervals: ReadonlyMap<string, DifferenceInterval> | null
  readonly reason: string | null
}

async function intervalsOf(platform: Platform, pair: RunPair, signal: AbortSignal): Promise<Intervals> {
  const { base, other } = pair
  const unkept = [base, other].find(({ row }) => !row.keepsSamples)
  if (unkept !== undefined) return { intervals: null, reason: 'samples of one of the runs are not kept' }
  const { task, dataset } = base
  const rows = Number(dataset.rows)
  const fits = 2 * rows * LEAST_REPLICATES <= PAIRED_SAMPLES && 4 * rows * (base.width + other.width) <= PAIRED_BYTES
  if (!fits && (task === 'MULTILABEL' || task === 'REGRESSION')) return { intervals: null, reason: TOO_MANY }
  if (!fits && (base.fit.weights !== null || hasClassWeights(base) || hasClassWeights(other)))
    return { intervals: null, reason: `${TOO_MANY}, and these have weights` }
  const found = await pairInThread(
    {
      task,
      options: [optionsOf(base), optionsOf(other)],
      samples: fits ? await gather(platform, pair) : null,
      cells: fits ? [] : await countCells(platform, pair),
    },
    platform.programs,
    signal,
  )
  return { intervals: new Map(found.map((each) => [keyOf(each), each])), reason: null }
}

const optionsOf = ({ row, fit }: KeptRun): TaskOptions => ({ ...runMetricOptions(row), classes: fit.classes })
const hasClassWeights = ({ row }: KeptRun): boolean => runMetricOptions(row).classWeights !== undefined

/** All samples of both runs in memory. */
async function gather(platform: Platform, { base, other }: RunPair): Promise<PairedSamples> {
  const n = Number(base.dataset.rows)
  const targets = new Float64Array(n * base.codes)
  const logitsOf = async (run: KeptRun): Promise<Float32Array> => {
    const logits = new Float32Array(n * run.width)
    for await (const chunk of scanSamples(platform, run)) {
      logits.set(await readChunkLogits(platform, run.id, chunk), chunk.firstRow * run.width)
      const { ignoreIndex } = runMetricOptions(run.row)
      chunk.verdicts.targets.forEach((code, i) => {
        // A label that is ignored is kept as a byte.
        const ignored = run.task === 'MULTILABEL' && code > 1
        targets[chunk.firstRow * run.codes + i] = ignored ? (ignoreIndex ?? code) : code
      })
    }
    return logits
  }
  return { n, targets, weights: await weightsOf(platform, base), logits: [await logitsOf(base), await logitsOf(other)] }
}

async function weightsOf(platform: Platform, { dataset, fit }: KeptRun): Promise<Float64Array | null> {
  const column = dataset.columns.find(({ name }) => name === fit.weights)
  if (column === undefined) return null
  return await readColumnNumbers(platform, column, 0, Number(dataset.rows))
}

/** How both runs answered, counted by true class. */
async function countCells(platform: Platform, pair: RunPair): Promise<JointCell[]> {
  const cells = new Map<string, { truth: number; choices: [number, number]; count: number }>()
  for await (const { base, other } of both(platform, pair)) {
    const { verdicts, at } = base
    if (verdicts.outcomes[at] === OUTCOME.none) continue
    const [truth, first] = [verdicts.targets[at]!, verdicts.predicted![at]!]
    const second = other.verdicts.predicted![other.at]!
    const key = `${truth} ${first} ${second}`
    const cell = cells.get(key) ?? { truth, choices: [first, second] as [number, number], count: 0 }
    cell.count++
    cells.set(key, cell)
  }
  return [...cells.values()]
}

/** A sample in a chunk. */
interface At {
  readonly verdicts: SampleChunkRows['verdicts']
  readonly at: number
}

/** The samples of both runs, row by row: their chunks need not begin at the same rows. */
async function* both(
  platform: Platform,
  { base, other }: RunPair,
  fromRow = 0,
): AsyncGenerator<{ readonly row: number; readonly base: At; readonly other: At }> {
  const others = scanSamples(platform, other, fromRow)
  let beside = await others.next()
  for await (const { firstRow, verdicts } of scanSamples(platform, base, fromRow))
    for (let at = Math.max(0, fromRow - firstRow); at < verdicts.n; at++) {
      const row = firstRow + at
      while (beside.done !== true && row >= beside.value.firstRow + beside.value.verdicts.n)
        beside = await others.next()
      if (beside.done === true) return
      yield { row, base: { verdicts, at }, other: { verdicts: beside.value.verdicts, at: row - beside.value.firstRow } }
    }
}

/** McNemar's test; null for REGRESSION and where samples of one are not kept. */
export async function compareOutcomes(platform: Platform, pair: RunPair): Promise<McNemarTest | null> {
  const { base, other } = pair
  if (base.task === 'REGRESSION' || !base.row.keepsSamples || !other.row.keepsSamples) return null
  const counts = { bothRight: 0, bothWrong: 0, broken: 0, fixed: 0 }
  for await (const { base: a, other: b } of both(platform, pair)) {
    const [first, second] = [a.verdicts.outcomes[a.at], b.verdicts.outcomes[b.at]]
    if (first === OUTCOME.none) continue
    if (first === OUTCOME.right) counts[second === OUTCOME.right ? 'bothRight' : 'broken']++
    else counts[second === OUTCOME.right ? 'fixed' : 'bothWrong']++
  }
  return mcNemar(counts)
}

/**
 * Samples that one run answered rightly and the other not, by row.
 * @throws AppError CONFLICT where samples are not kept, BAD_INPUT for REGRESSION.
 */
export async function changedSamples(
  platform: Platform,
  pair: RunPair,
  {
    change,
    first,
    afterRow,
  }: { readonly change: 'BROKEN' | 'FIXED'; readonly first: number; readonly afterRow: number | null },
): Promise<{ readonly nodes: readonly SampleChange[]; readonly hasNextPage: boolean }> {
  const { base, other } = pair
  if (base.task === 'REGRESSION') throw new AppError('BAD_INPUT', 'REGRESSION has no right and wrong answers')
  mustKeepSamples(base)
  mustKeepSamples(other)
  const wanted = change === 'BROKEN' ? OUTCOME.right : OUTCOME.wrong
  const found: Omit<SampleChange, 'id'>[] = []
  for await (const { row, base: a, other: b } of both(platform, pair, afterRow === null ? 0 : afterRow + 1)) {
    const [before, now] = [a.verdicts.outcomes[a.at], b.verdicts.outcomes[b.at]]
    if (before !== wanted || before === now || now === OUTCOME.none) continue
    found.push({
      row,
      trueLabels: labelsOf(base, a.verdicts.targets, a.at),
      baseLabels: labelsOf(base, a.verdicts.predicted!, a.at),
      labels: labelsOf(other, b.verdicts.predicted!, b.at),
      baseConfidence: a.verdicts.confidences[a.at]!,
      confidence: b.verdicts.confidences[b.at]!,
    })
    if (found.length > first) break
  }
  const page = found.slice(0, first)
  const ids = await readIds(
    platform,
    base.dataset,
    page.map(({ row }) => row),
  )
  return { nodes: page.map((each, i) => ({ ...each, id: ids?.[i] ?? null })), hasNextPage: found.length > first }
}
