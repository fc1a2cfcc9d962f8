import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createModel, importCheckpoint, importDataset } from '../../src/usecase/index.ts'
import { graphql } from './api/client.ts'
import { startTestApi, type TestApi } from './api/server.ts'
import { safetensorsFile } from './usecase/safetensors-file.ts'
import { upload } from './usecase/test-platform.ts'
import { ended, startTestWorker, type TestWorker } from './worker/test-worker.ts'

const N = 120
const CLASSES = ['ant', 'bee', 'cat']

interface Row {
  readonly id: string
  readonly truth: number
  readonly logits: readonly number[]
  readonly hospital: string
  readonly age: number
  readonly weight: number
}

/** A list that is not empty. */
type Some<T> = readonly [T, ...T[]]

interface Interval {
  readonly low: number
  readonly high: number
  readonly method: string
}
interface Metric {
  readonly name: string
  readonly average: string | null
  readonly value: number
  readonly binningError: number | null
  readonly interval: Interval
}
interface Slice {
  readonly key: string
  readonly value: string
  readonly samples: number
  readonly metrics: readonly Metric[]
}
interface Samples {
  readonly totalCount: number
  readonly nodes: Some<{ readonly row: number; readonly confidence: number; readonly logits: readonly number[] }>
  readonly pageInfo: { readonly endCursor: string; readonly hasNextPage: boolean }
}
interface Started {
  readonly startRun: { readonly run: { readonly id: string }; readonly errors: readonly unknown[] }
}
interface Compared {
  readonly difference: number
  readonly interval: Interval
}
interface Difference {
  readonly run: { readonly id: string }
  readonly metrics: readonly [Compared, Compared]
  readonly mcNemar: Readonly<Record<string, unknown>>
  readonly broken: { readonly nodes: Some<{ readonly row: number; readonly id: string }> }
  readonly fixed: { readonly nodes: Some<{ readonly row: number }> }
}

/** Samples whose logits are their features. One in five is answered wrongly, one in four of the south's besides. */
const rows: readonly Row[] = Array.from({ length: N }, (_, i) => {
  const truth = (i * 7) % 3
  const hospital = i % 4 === 0 ? 'south' : i % 4 === 3 ? '' : 'north'
  const wrong = i % 5 === 0 || (hospital === 'south' && i % 16 === 4)
  const choice = wrong ? (truth + 1) % 3 : truth
  const logits = [0, 1, 2].map((k) => (k === choice ? 1 + (i % 10) / 4 : -(k + 1) / 8))
  return { id: `s-${i}`, truth, logits, hospital, age: 20 + ((i * 13) % 60), weight: 1 + (i % 3) }
})
const chosen = ({ logits }: Row): number => logits.indexOf(Math.max(...logits))
const isRight = (row: Row): boolean => chosen(row) === row.truth
const share = (of: readonly Row[], weighted = false): number => {
  const weight = (row: Row): number => (weighted ? row.weight : 1)
  const sum = (some: readonly Row[]): number => some.reduce((total, row) => total + weight(row), 0)
  return sum(of.filter(isRight)) / sum(of)
}

const csv = (weighted: boolean): string =>
  [
    `id,a,b,c,hospital,age,label${weighted ? ',weight' : ''}`,
    ...rows.map(({ id, logits, hospital, age, truth, weight }) =>
      [id, ...logits, hospital, age, CLASSES[truth], ...(weighted ? [weight] : [])].join(','),
    ),
  ].join('\n')

const START = `mutation ($input: StartRunInput!) { startRun(input: $input) { run { id } errors { code message } } }`

describe('what a run found out, over GraphQL', () => {
  let api: TestApi
  let worker: TestWorker
  let checkpoints: string[]
  let datasets: { plain: string; weighted: string }
  beforeAll(async () => {
    api = await startTestApi({ platformLimits: { shardRows: 50 } })
    const { platform } = api
    worker = await startTestWorker(platform, platform.spoolDir)
    const layers = { layers: [{ type: 'Linear', in_features: 3, out_features: 3, bias: false }], input: [3] }
    const model = await createModel(platform, {
      name: 'm',
      task: 'MULTICLASS',
      classes: CLASSES,
      architecture: { layers },
    })
    // The logits as they are; and those of cat turned, so that some answers change.
    const weights = [
      [1, 0, 0, 0, 1, 0, 0, 0, 1],
      [1, 0, 0, 0, 1, 0, 0, 0, -0.05],
    ]
    checkpoints = []
    for (const [i, numbers] of weights.entries()) {
      const bytes = safetensorsFile({
        '0.weight': { dtype: 'float32', shape: [3, 3], data: Float32Array.from(numbers) },
      })
      const uploadId = await upload(platform, `${i}.safetensors`, bytes)
      checkpoints.push(`ckp_${(await importCheckpoint(platform, { modelId: model.id, uploadId, name: `${i}` })).id}`)
    }
    const features = { featureColumns: ['a', 'b', 'c'], sliceColumns: ['age'] }
    const imported = async (name: string, weighted: boolean): Promise<string> => {
      const uploadId = await upload(platform, `${name}.csv`, csv(weighted))
      return `dat_${(await importDataset(platform, { name, uploadId, ...features })).id}`
    }
    datasets = { plain: await imported('plain', false), weighted: await imported('weighted', true) }
  })
  afterAll(async () => {
    await worker[Symbol.asyncDispose]()
    await api[Symbol.asyncDispose]()
  })

  const ask = async <T>(query: string, variables: Record<string, unknown> = {}): Promise<T> => {
    const answer = await graphql(api.url, query, variables)
    expect(answer.errors).toBeUndefined()
    return answer.data as T
  }
  async function run(input: Record<string, unknown>): Promise<string> {
    const base = { checkpointId: checkpoints[0], datasetId: datasets.plain, batchSize: 32 }
    const { startRun } = await ask<Started>(START, { input: { ...base, ...input } })
    expect(startRun.errors).toEqual([])
    const { status, errorMessage } = await ended(api.platform, startRun.run.id.slice('run_'.length))
    expect([status, errorMessage]).toEqual(['SUCCEEDED', null])
    return startRun.run.id
  }

  test('columns have roles, and text that is no feature has names', async () => {
    const { dataset } = await ask<{ dataset: { labelNames: unknown; columns: unknown } }>(
      `query ($id: ID!) { dataset(id: $id) { columns { name role dtype shape names } labelNames } }`,
      {
        id: datasets.weighted,
      },
    )
    expect(dataset.labelNames).toEqual(CLASSES)
    expect(dataset.columns).toEqual([
      { name: 'x', role: 'FEATURE', dtype: 'float32', shape: [3], names: [] },
      { name: 'label', role: 'LABEL', dtype: 'int64', shape: [], names: CLASSES },
      { name: 'weight', role: 'WEIGHT', dtype: 'int64', shape: [], names: [] },
      { name: 'age', role: 'SLICE', dtype: 'int64', shape: [], names: [] },
      { name: 'hospital', role: 'SLICE', dtype: 'int64', shape: [], names: ['', 'north', 'south'] },
      { name: 'id', role: 'ID', dtype: 'uint8', shape: [5], names: [] },
    ])
  })

  test('an upload is shown before it is imported, and a dataset after', async () => {
    const uploadId = await upload(api.platform, 'w.csv', csv(true))
    const fields = 'rows columns { name role mean missing values } classBalance { label samples }'
    const { previewUpload, dataset } = await ask<
      Record<'previewUpload' | 'dataset', { classBalance: unknown; columns: unknown }>
    >(
      `query ($upload: ID!, $id: ID!) {
        previewUpload(input: { uploadId: $upload, featureColumns: ["a", "b", "c"], sliceColumns: ["age"] }) { ${fields} }
        dataset(id: $id) { preview { ${fields} } }
      }`,
      { upload: `upl_${uploadId}`, id: datasets.weighted },
    )
    expect(dataset).toEqual({ preview: previewUpload })
    const weights = rows.map(({ weight }) => weight)
    expect(previewUpload.columns).toMatchObject([
      { name: 'x', role: 'FEATURE', values: rows.slice(0, 10).map(({ logits }) => logits.map(Math.fround)) },
      { name: 'label', role: 'LABEL', mean: null, values: rows.slice(0, 10).map(({ truth }) => CLASSES[truth]) },
      { name: 'weight', mean: weights.reduce((sum, weight) => sum + weight) / N, values: weights.slice(0, 10) },
      { name: 'age', role: 'SLICE' },
      { name: 'hospital', values: rows.slice(0, 10).map(({ hospital }) => hospital) },
      { name: 'id', role: 'ID', values: rows.slice(0, 10).map(({ id }) => id) },
    ])
    expect(previewUpload.classBalance).toEqual(CLASSES.map((label) => ({ label, samples: N / 3 })))
    expect(await api.platform.store.prisma.dataset.count()).toBe(2)
  })

  test('features are preprocessed as the dataset says', async () => {
    const uploadId = `upl_${await upload(api.platform, 's.csv', csv(false))}`
    const [mean, std] = [
      [0.5, -1, 0.25],
      [2, 0.5, 3],
    ]
    const { createDataset } = await ask<{ createDataset: { dataset: { id: string }; errors: unknown } }>(
      `mutation ($input: CreateDatasetInput!) { createDataset(input: $input) { dataset { id columns { preprocess { divisor mean std } } } errors { message } } }`,
      {
        input: {
          ...{ name: 'scaled', uploadId, featureColumns: ['a', 'b', 'c'] },
          preprocess: [{ column: 'x', divisor: 7, mean, std }],
        },
      },
    )
    expect(createDataset).toMatchObject({
      errors: [],
      dataset: { columns: [{ preprocess: { divisor: 7, mean, std } }, {}, {}, {}, {}] },
    })
    const id = await run({ datasetId: createDataset.dataset.id })
    const { run: found } = await ask<{ run: { all: Samples } }>(
      `query ($id: ID!) { run(id: $id) { all: sampleResults(first: 100) { nodes { row logits } } } }`,
      { id },
    )
    const { fround } = Math
    for (const { row, logits } of found.all.nodes)
      expect(logits).toEqual(
        rows[row]!.logits.map((logit, k) => fround(fround(fround(fround(logit) / 7) - mean[k]!) / std[k]!)),
      )
  })

  test('metrics have intervals, curves hold every sample, and the diagram all answers', async () => {
    const id = await run({})
    const { run: found } = await ask<{
      run: { metrics: Metric[]; scoreCurves: [{ points: unknown[] }]; reliability: { weight: number }[] }
    }>(
      `query ($id: ID!) { run(id: $id) {
        metrics { name average class value binningError interval { low high method } }
        scoreCurves(classes: ["bee"]) { class points { threshold truePositives falsePositives falseNegatives trueNegatives } }
        reliability { low high weight confidence accuracy }
      } }`,
      { id },
    )
    const accuracy = found.metrics.find(({ name }) => name === 'accuracy')!
    expect(accuracy.value).toBeCloseTo(share(rows), 12)
    // Wilson's interval, from its formula.
    const [p, z] = [share(rows), 1.959963984540054]
    const [middle, scale] = [p + (z * z) / (2 * N), 1 + (z * z) / N]
    const spread = z * Math.sqrt((p * (1 - p)) / N + (z * z) / (4 * N * N))
    expect(accuracy.interval.method).toBe('WILSON')
    expect(accuracy.interval.low).toBeCloseTo((middle - spread) / scale, 9)
    expect(accuracy.interval.high).toBeCloseTo((middle + spread) / scale, 9)
    const auc = found.metrics.find(({ name, average }) => name === 'rocAuc' && average === 'macro')!
    expect(auc).toMatchObject({ binningError: null, interval: { method: 'BOOTSTRAP' } })
    expect(auc.interval.low).toBeLessThan(auc.value)
    expect(auc.interval.high).toBeGreaterThan(auc.value)
    const [curve] = found.scoreCurves
    const bees = rows.filter(({ truth }) => truth === 1).length
    expect(curve.points.at(-1)).toMatchObject({
      truePositives: bees,
      falsePositives: N - bees,
      falseNegatives: 0,
      trueNegatives: 0,
    })
    expect(found.reliability.reduce((sum, { weight }) => sum + weight, 0)).toBe(N)
  })

  test('slices have their own metrics, the worst first', async () => {
    const id = await run({ slices: ['hospital', 'age:3'] })
    const { run: found } = await ask<{ run: { configuration: { slices: unknown }; slices: Slice[] } }>(
      `query ($id: ID!) { run(id: $id) { configuration { slices } slices { key value samples metrics { name average value interval { low high } } } } }`,
      { id },
    )
    expect(found.configuration.slices).toEqual(['hospital', 'age:3'])
    const hospitals = found.slices.filter(({ key }) => key === 'hospital')
    const valueOf = (slice: Slice, name: string): number => slice.metrics.find((metric) => metric.name === name)!.value
    const expected = { north: 'north', south: 'south', '(missing)': '' }
    expect(hospitals.map(({ value }) => value).sort()).toEqual(Object.keys(expected).sort())
    for (const slice of hospitals) {
      const own = rows.filter(({ hospital }) => hospital === expected[slice.value as keyof typeof expected])
      expect(slice.samples).toBe(own.length)
      expect(valueOf(slice, 'accuracy')).toBeCloseTo(share(own), 12)
      const loss = own.reduce((sum, { logits, truth }) => {
        const floats = logits.map(Math.fround)
        return sum + Math.log(floats.reduce((total, logit) => total + Math.exp(logit), 0)) - floats[truth]!
      }, 0)
      expect(valueOf(slice, 'logLoss')).toBeCloseTo(loss / own.length, 6)
    }
    const f1 = hospitals.map((slice) => valueOf(slice, 'f1'))
    expect(f1).toEqual([...f1].sort((a, b) => a - b))
    const ages = found.slices.filter(({ key }) => key === 'age:3')
    const [low, high] = [Math.min(...rows.map(({ age }) => age)), Math.max(...rows.map(({ age }) => age))]
    const counts = [0, 0, 0]
    for (const { age } of rows) counts[Math.min(2, Math.floor(((age - low) / (high - low)) * 3))]!++
    expect(ages.map(({ samples }) => samples).sort()).toEqual(counts.sort())
    expect(ages.some(({ value }) => value.startsWith(`[${low}, `))).toBe(true)
  })

  test('samples can be had by what became of them', async () => {
    const id = await run({})
    const { run: found } = await ask<{
      run: { keepsSamples: boolean } & Record<'all' | 'wrong' | 'south' | 'missed' | 'taken', Samples>
    }>(
      `query ($id: ID!) { run(id: $id) {
        keepsSamples
        all: sampleResults(first: 1) { totalCount nodes { row id right labels trueLabels logits probabilities loss confidence } }
        wrong: sampleResults(first: 5, filter: { outcome: WRONG }, orderBy: CONFIDENCE) { totalCount nodes { row right confidence labels trueLabels } pageInfo { endCursor hasNextPage } }
        south: sampleResults(filter: { slice: { key: "hospital", value: "south" }, trueClass: "cat" }) { totalCount }
        missed: sampleResults(filter: { trueClass: "cat", notPredictedClass: "cat" }) { totalCount }
        taken: sampleResults(filter: { notTrueClass: "cat", predictedClass: "cat" }) { totalCount }
      } }`,
      { id },
    )
    expect(found.keepsSamples).toBe(true)
    const cats = rows.filter(({ truth }) => CLASSES[truth] === 'cat')
    expect(found.missed.totalCount).toBe(cats.filter((row) => !isRight(row)).length)
    expect(found.taken.totalCount).toBe(rows.filter((row) => !isRight(row) && CLASSES[chosen(row)] === 'cat').length)
    const [first] = found.all.nodes
    expect(found.all.totalCount).toBe(N)
    expect(first).toMatchObject({ row: 0, id: 's-0', right: isRight(rows[0]!), trueLabels: [CLASSES[rows[0]!.truth]] })
    expect(first.logits).toEqual(rows[0]!.logits.map(Math.fround))
    const mistakes = rows.map((row, at) => ({ row, at })).filter(({ row }) => !isRight(row))
    expect(found.wrong.totalCount).toBe(mistakes.length)
    const confidence = ({ logits }: Row): number =>
      Math.exp(Math.max(...logits)) / logits.reduce((sum, logit) => sum + Math.exp(logit), 0)
    const sure = [...mistakes].sort((a, b) => confidence(b.row) - confidence(a.row) || a.at - b.at)
    expect(found.wrong.nodes.map((node) => node.confidence)).toEqual(
      sure.slice(0, 5).map(({ row }) => expect.closeTo(confidence(row), 6)),
    )
    expect(found.south.totalCount).toBe(
      rows.filter(({ hospital, truth }) => hospital === 'south' && truth === 2).length,
    )
    // Pages follow each other without a gap.
    const seen: number[] = []
    let after: string | null = null
    do {
      const page: { run: { sampleResults: Samples } } = await ask(
        `query ($id: ID!, $after: String) { run(id: $id) { sampleResults(first: 7, after: $after, filter: { outcome: WRONG }, orderBy: CONFIDENCE) { nodes { row } pageInfo { endCursor hasNextPage } } } }`,
        { id, after },
      )
      seen.push(...page.run.sampleResults.nodes.map(({ row }) => row))
      after = page.run.sampleResults.pageInfo.hasNextPage ? page.run.sampleResults.pageInfo.endCursor : null
    } while (after !== null)
    expect([...seen].sort((a, b) => a - b)).toEqual(mistakes.map(({ at }) => at))
  })

  test('weights, ignored labels and class weights count', async () => {
    const value = async (input: Record<string, unknown>): Promise<number> => {
      const { run: found } = await ask<{ run: { metrics: [Metric] } }>(
        `query ($id: ID!) { run(id: $id) { metrics(names: ["accuracy"]) { value } } }`,
        {
          id: await run(input),
        },
      )
      return found.metrics[0].value
    }
    expect(await value({ datasetId: datasets.weighted })).toBeCloseTo(share(rows, true), 12)
    expect(await value({ metrics: { ignoreIndex: 2 } })).toBeCloseTo(share(rows.filter(({ truth }) => truth !== 2)), 12)
    const heavy = rows.flatMap((row) => (row.truth === 1 ? [row, row, row] : [row]))
    expect(await value({ metrics: { classWeights: [1, 3, 1] } })).toBeCloseTo(share(heavy), 12)
  })

  test('options that a task cannot have are refused before anything is queued', async () => {
    const base = { checkpointId: checkpoints[0], datasetId: datasets.plain }
    for (const [input, message] of [
      [{ metrics: { classWeights: [1, 2] } }, '2 class weights were given for 3 classes'],
      [{ metrics: { thresholds: [0.5, 0.5, 0.5] } }, 'thresholds are for the labels of MULTILABEL'],
      [{ metrics: { beta: -1 } }, 'beta is a positive number'],
      [{ slices: ['ward'] }, 'no column ward to slice by; it has x, label, age, hospital'],
      [{ slices: ['hospital:4'] }, 'column hospital holds text'],
      [{ slices: ['x'] }, 'column x has [3] numbers'],
    ] as const) {
      const { startRun } = await ask<Started>(START, { input: { ...base, ...input } })
      expect(startRun).toMatchObject({
        run: null,
        errors: [{ code: 'BAD_INPUT', message: expect.stringContaining(message) }],
      })
    }
    expect(await api.platform.store.prisma.run.count({ where: { status: 'QUEUED' } })).toBe(0)
  })

  test('two runs are compared sample by sample', async () => {
    const ids = [await run({}), await run({ checkpointId: checkpoints[1] })]
    const { compareRuns } = await ask<{ compareRuns: { base: { id: string }; others: [Difference] } }>(
      `query ($ids: [ID!]!) { compareRuns(ids: $ids) {
        base { id }
        others {
          run { id }
          metrics(names: ["accuracy", "logLoss"]) { name base other difference interval { low high method } reason }
          mcNemar { bothRight bothWrong broken fixed pValue exact statistic }
          broken: changes(change: BROKEN) { hasNextPage nodes { row id trueLabels baseLabels labels } }
          fixed: changes(change: FIXED) { nodes { row } }
        }
      } }`,
      { ids },
    )
    expect(compareRuns.base.id).toBe(ids[0])
    const [other] = compareRuns.others
    expect(other.run.id).toBe(ids[1])
    const second = rows.map((row) => {
      const [a, b, c] = row.logits.map(Math.fround) as [number, number, number]
      return { ...row, logits: [a, b, -0.05 * c] }
    })
    const outcome = rows.map((row, i) => [isRight(row), isRight(second[i]!)] as const)
    const count = (before: boolean, now: boolean): number =>
      outcome.filter(([a, b]) => a === before && b === now).length
    const [broken, fixed] = [count(true, false), count(false, true)]
    expect(broken).toBeGreaterThan(0)
    expect(other.mcNemar).toMatchObject({ bothRight: count(true, true), bothWrong: count(false, false), broken, fixed })
    expect(other.broken.nodes.map(({ row }) => row)).toEqual(
      outcome.flatMap(([before, now], row) => (before && !now ? [row] : [])).slice(0, 20),
    )
    expect(other.broken.nodes[0].id).toBe(`s-${other.broken.nodes[0].row}`)
    expect(other.fixed.nodes).toHaveLength(Math.min(20, fixed))
    const accuracy = other.metrics[0]
    expect(accuracy.difference).toBeCloseTo(share(second) - share(rows), 12)
    // The normal interval of a paired difference, which a bootstrap comes near to with 120 samples.
    const d = (broken + fixed) / N
    const spread = 1.96 * Math.sqrt((d - accuracy.difference ** 2) / N)
    expect(accuracy.interval.method).toBe('BOOTSTRAP')
    expect(accuracy.interval.low).toBeCloseTo(accuracy.difference - spread, 1)
    expect(accuracy.interval.high).toBeCloseTo(accuracy.difference + spread, 1)
    expect(other.metrics[1].interval.low).toBeLessThan(other.metrics[1].difference)
  })

  test('runs on different data are not compared, and unkept samples are not there', async () => {
    const ids = [await run({ keepSamples: false }), await run({ datasetId: datasets.weighted })]
    const refused = await graphql(
      api.url,
      `
        query ($ids: [ID!]!) {
          compareRuns(ids: $ids) {
            base {
              id
            }
          }
        }
      `,
      { ids },
    )
    expect(refused.errors?.[0]).toMatchObject({
      message: expect.stringContaining('they are on different data, plain version 1 and weighted version 1'),
    })
    const none = await graphql(
      api.url,
      `
        query ($id: ID!) {
          run(id: $id) {
            sampleResults {
              totalCount
            }
          }
        }
      `,
      { id: ids[0] },
    )
    expect(none.errors?.[0]?.message).toMatch(/was not kept/)
  })
})
