import { AppError } from '../error.ts'
import { fitSlices, sliceCode, sliceName, type SliceFit } from '../evaluation/index.ts'
import { activationOf, OUTCOME, probabilities, type Verdicts } from '../metric/index.ts'
import { datasetFacts } from './dataset-facts.ts'
import { labelsOf, loadKeptRun, mustKeepSamples, type KeptRun } from './load-kept-run.ts'
import type { ModelAnswer } from './model-answer.ts'
import type { Platform } from './platform.ts'
import { readLogits, scanSamples, type SampleChunkRows } from './sample-scan.ts'
import { readColumnNumbers, readIds } from './dataset-rows.ts'

/** Which samples of a run, in which order. */
export interface SamplesInput {
  readonly runId: string
  readonly outcome?: 'RIGHT' | 'WRONG' | null | undefined
  /** Names of classes. */
  readonly trueClass?: string | null | undefined
  readonly predictedClass?: string | null | undefined
  /** Names of classes that are others; of labels that are not there. */
  readonly notTrueClass?: string | null | undefined
  readonly notPredictedClass?: string | null | undefined
  readonly slice?: { readonly key: string; readonly value: string } | null | undefined
  /** ROW, or the largest first. */
  readonly order: SampleOrder
  readonly first: number
  /** The last sample of the page before. */
  readonly after: SamplePlace | null
}

/** How samples are ordered. */
export type SampleOrder = 'ROW' | 'CONFIDENCE' | 'LOSS'

/** A place in an order: what it is ordered by, then the row. */
export interface SamplePlace {
  readonly value: number
  readonly row: number
}

/** A sample and what the model said about it. */
export interface KeptSample extends ModelAnswer {
  readonly datasetId: string
  readonly row: number
  /** What the dataset calls it. */
  readonly id: string | null
  /** Null where nothing is right or wrong: REGRESSION, and labels that do not count. */
  readonly right: boolean | null
  readonly loss: number | null
  readonly confidence: number | null
  readonly place: SamplePlace
}

/** Some samples of a run. */
export interface SamplePage {
  readonly samples: readonly KeptSample[]
  readonly hasNext: boolean
}

interface Candidate extends SamplePlace {
  readonly chunk: SampleChunkRows
  readonly at: number
}

/**
 * A page of samples. All samples of the run are looked at, a few chunks at a time; logits are read for those of the page alone.
 * @throws AppError NOT_FOUND, BAD_INPUT, CONFLICT where none were kept.
 */
export async function runSamples(platform: Platform, input: SamplesInput): Promise<SamplePage> {
  const run = await loadKeptRun(platform, input.runId)
  mustKeepSamples(run)
  const { order, first, after } = input
  let found: Candidate[] = []
  const best = (): void => {
    found.sort(inOrder)
    found = found.slice(0, first + 1)
  }
  const from = order === 'ROW' && after !== null ? after.row + 1 : 0
  for await (const candidate of matching(platform, run, input, from)) {
    if (after !== null && inOrder(candidate, after) <= 0) continue
    found.push(candidate)
    if (order === 'ROW' && found.length > first) break
    if (found.length > 4 * (first + 1)) best()
  }
  best()
  const page = found.slice(0, first)
  const ids = await readIds(
    platform,
    run.dataset,
    page.map(({ row }) => row),
  )
  const samples: KeptSample[] = []
  for (const [i, candidate] of page.entries())
    samples.push(await describe(platform, run, candidate, ids === null ? null : ids[i]!))
  return { samples, hasNext: found.length > first }
}

/** How many samples a page would be taken from. */
export async function countSamples(platform: Platform, input: SamplesInput): Promise<number> {
  const run = await loadKeptRun(platform, input.runId)
  mustKeepSamples(run)
  let count = 0
  for await (const _ of matching(platform, run, input, 0)) count++
  return count
}

/** Largest value first, then by row. */
const inOrder = (a: SamplePlace, b: SamplePlace): number => b.value - a.value || a.row - b.row

async function* matching(
  platform: Platform,
  run: KeptRun,
  input: SamplesInput,
  fromRow: number,
): AsyncGenerator<Candidate> {
  const matches = filterOf(platform, run, input)
  const valueOf = VALUES[input.order]
  for await (const chunk of scanSamples(platform, run, fromRow)) {
    const ofSlice = matches.slice === null ? null : await matches.slice(chunk.firstRow, chunk.verdicts.n)
    for (let at = 0; at < chunk.verdicts.n; at++) {
      const row = chunk.firstRow + at
      if (row < fromRow || !matches.verdict(chunk.verdicts, at) || ofSlice?.(at) === false) continue
      yield { row, value: valueOf(chunk.verdicts, at), chunk, at }
    }
  }
}

/** Largest first; what has none comes last. */
const VALUES: Readonly<Record<SampleOrder, (verdicts: Verdicts, at: number) => number>> = {
  ROW: () => 0,
  CONFIDENCE: ({ confidences }, at) => orLast(confidences[at]!),
  LOSS: ({ losses }, at) => orLast(losses[at]!),
}
const orLast = (value: number): number => (Number.isNaN(value) ? -Number.MAX_VALUE : value)

interface Filter {
  readonly verdict: (verdicts: Verdicts, at: number) => boolean
  readonly slice: ((firstRow: number, n: number) => Promise<(at: number) => boolean>) | null
}

function filterOf(platform: Platform, run: KeptRun, input: SamplesInput): Filter {
  const { task, fit, codes } = run
  const outcome = input.outcome == null ? null : input.outcome === 'RIGHT' ? OUTCOME.right : OUTCOME.wrong
  const [truth, choice] = [classOf(input.trueClass), classOf(input.predictedClass)]
  const [notTruth, notChoice] = [classOf(input.notTrueClass), classOf(input.notPredictedClass)]
  const has = (values: Verdicts['targets'] | null, at: number, of: number): boolean =>
    task === 'MULTILABEL' ? values![at * codes + of] === 1 : values![at] === of
  // A label that does not count is neither there nor absent.
  const lacks = (values: Verdicts['targets'] | null, outcome: number, at: number, of: number): boolean =>
    task === 'MULTILABEL' ? values![at * codes + of] === 0 : values![at] !== of && outcome !== OUTCOME.none
  return {
    verdict: ({ targets, predicted, outcomes }, at) =>
      (outcome === null || outcomes[at] === outcome) &&
      (truth === null || has(targets, at, truth)) &&
      (choice === null || has(predicted, at, choice)) &&
      (notTruth === null || lacks(targets, outcomes[at]!, at, notTruth)) &&
      (notChoice === null || lacks(predicted, outcomes[at]!, at, notChoice)),
    slice: input.slice == null ? null : sliceFilter(platform, run, input.slice),
  }

  function classOf(name: string | null | undefined): number | null {
    if (name == null) return null
    const index = fit.classes.indexOf(name)
    if (task !== 'REGRESSION' && index !== -1) return index
    throw new AppError(
      'BAD_INPUT',
      `the model has no class ${JSON.stringify(name)}; it has ${fit.classes.slice(0, 20).join(', ') || 'none'}`,
    )
  }
}

function sliceFilter(
  platform: Platform,
  { dataset }: KeptRun,
  { key, value }: { readonly key: string; readonly value: string },
): NonNullable<Filter['slice']> {
  const [slice] = fitSlices([key], datasetFacts(dataset, dataset.columns)) as [SliceFit]
  const column = dataset.columns.find(({ name }) => name === slice.column)!
  return async (firstRow, n) => {
    const values = await readColumnNumbers(platform, column, firstRow, n)
    return (at) => sliceName(slice, sliceCode(slice, values[at]!)) === value
  }
}

async function describe(
  platform: Platform,
  run: KeptRun,
  { row, value, chunk, at }: Candidate,
  id: string | null,
): Promise<KeptSample> {
  const { id: runId, task, width, codes } = run
  const { targets, predicted, losses, confidences, outcomes } = chunk.verdicts
  const logits = await readLogits(platform, runId, chunk, at, width)
  const number = (of: number): number | null => (Number.isNaN(of) ? null : of)
  const outcome = outcomes[at]
  return {
    datasetId: run.dataset.id,
    row,
    id,
    right: outcome === OUTCOME.none ? null : outcome === OUTCOME.right,
    loss: number(losses[at]!),
    confidence: number(confidences[at]!),
    logits: Array.from(logits),
    probabilities: probabilities(task, activationOf(task, width), logits),
    labels: predicted === null ? [] : labelsOf(run, predicted, at),
    trueLabels: task === 'REGRESSION' ? null : labelsOf(run, targets, at),
    trueValues: task === 'REGRESSION' ? Array.from(targets.subarray(at * codes, (at + 1) * codes)) : null,
    place: { value, row },
  }
}
