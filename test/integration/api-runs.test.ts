import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import sharp from 'sharp'
import { encodeId } from '../../src/api/object-id.ts'
import { createModel, importDataset } from '../../src/usecase/index.ts'
import { graphql } from './api/client.ts'
import { startTestApi, type TestApi } from './api/server.ts'
import { createRun, createRunParents } from './run-rows.ts'
import { safetensorsFile } from './usecase/safetensors-file.ts'
import { upload } from './usecase/test-platform.ts'

interface Page {
  readonly nodes: readonly { readonly id: string; readonly summary: readonly { readonly value: number | null }[] }[]
  readonly pageInfo: { readonly endCursor: string | null; readonly hasNextPage: boolean }
  readonly totalCount: number
}

const RUNS = `query ($filter: RunFilter, $orderBy: RunOrder, $first: Int, $after: String) {
  runs(filter: $filter, orderBy: $orderBy, first: $first, after: $after) {
    nodes { id summary(names: ["f1"]) { value } } pageInfo { endCursor hasNextPage } totalCount } }`

describe('what lists of runs, and pages of a run, are made of', () => {
  let api: TestApi
  const runIds: string[] = []
  const ask = async (variables: Record<string, unknown>): Promise<Page> => {
    const answer = await graphql(api.url, RUNS, variables)
    if (answer.errors !== undefined) throw new Error(answer.errors[0]!.message)
    return (answer.data as { readonly runs: Page }).runs
  }

  beforeAll(async () => {
    api = await startTestApi()
    const { prisma } = api.store
    const parents = await createRunParents(prisma)
    // Ties, a run without the metric, and one whose metric is undefined. Single classes and other averages are none of the whole's.
    const values = [0.5, 0.9, 0.5, 0.1, null, 0.9, 0.7]
    for (const [i, value] of values.entries()) {
      const id = await createRun(prisma, parents)
      runIds.push(id)
      await prisma.run.update({
        where: { id },
        data: { name: i % 2 === 0 ? `Even ${i}` : `odd ${i}`, status: 'SUCCEEDED', finishedAt: new Date() },
      })
      const row = { runId: id, name: 'f1', reason: null }
      await prisma.metric.createMany({
        data: [
          { ...row, position: 0, average: 'macro', value },
          { ...row, position: 1, average: 'micro', value: 1 },
          { ...row, position: 2, class: 'cat', value: 2 },
        ],
      })
    }
    runIds.push(await createRun(prisma, parents))
  })
  afterAll(async () => {
    await api[Symbol.asyncDispose]()
  })

  test.each(['DESC', 'ASC'])('come ordered by a metric, each once over all pages: %s', async (direction) => {
    const seen: (readonly [string, number | null])[] = []
    let after: string | null = null
    for (;;) {
      const page: Page = await ask({ orderBy: { metric: 'f1', direction }, first: 2, after })
      expect(page.totalCount).toBe(6)
      seen.push(...page.nodes.map(({ id, summary }) => [id, summary[0]!.value] as const))
      after = page.pageInfo.endCursor
      if (!page.pageInfo.hasNextPage) break
    }
    const ids = (...places: readonly number[]) => places.map((place) => encodeId('Run', runIds[place]!))
    const descending = ids(5, 1, 6, 2, 0, 3)
    expect(seen.map(([id]) => id)).toEqual(direction === 'DESC' ? descending : [...descending].reverse())
    expect(seen.map(([, value]) => value)).toEqual(
      direction === 'DESC' ? [0.9, 0.9, 0.7, 0.5, 0.5, 0.1] : [0.1, 0.5, 0.5, 0.7, 0.9, 0.9],
    )
  })

  test('are counted, and found by a part of their name in any case', async () => {
    expect((await ask({ first: 1 })).totalCount).toBe(8)
    expect((await ask({ filter: { name: 'EVEN' }, first: 1 })).totalCount).toBe(4)
    const both = await ask({ filter: { name: 'odd' }, orderBy: { metric: 'f1' } })
    expect(both.nodes.map(({ summary }) => summary[0]!.value)).toEqual([0.9, 0.9, 0.1])
    expect((await ask({ filter: { name: '%' } })).nodes).toEqual([])
  })

  test.each(['', 'x', Buffer.from('[1]').toString('base64url'), Buffer.from('[1,"x"]').toString('base64url')])(
    'a cursor that is none is refused: %j',
    async (after) => {
      const { errors } = await graphql(api.url, RUNS, { orderBy: { metric: 'f1' }, after })
      expect(errors?.[0]?.extensions.code).toBe('BAD_INPUT')
    },
  )

  test('the course of a run is thinned from its end, and keeps its last point', async () => {
    const { prisma } = api.store
    const runId = runIds[0]!
    const progress = (samples: number) => ({
      ...{ samples, total: 100, samplesPerSecond: 1, etaSeconds: null },
      ...{ loss: null, accuracy: null, precision: null, recall: null, f1: null },
    })
    await prisma.runEvent.createMany({
      data: Array.from({ length: 100 }, (_, i) => ({
        ...{ runId, seq: i + 1 },
        ...(i % 10 === 0
          ? { kind: 'LOG' as const, payload: { level: 'info', message: '' } }
          : { kind: 'PROGRESS' as const, payload: progress(i) }),
      })),
    })
    const course = async (points: number): Promise<number[]> => {
      const text =
        'query ($id: ID!, $points: Int) { run(id: $id) { progressHistory(points: $points) { progress { samples } } } }'
      const answer = await graphql(api.url, text, { id: encodeId('Run', runId), points })
      const { run } = answer.data as {
        readonly run: { readonly progressHistory: readonly { readonly progress: { samples: number } }[] }
      }
      return run.progressHistory.map(({ progress: { samples } }) => samples)
    }
    expect(await course(1000)).toHaveLength(90)
    const thin = await course(9)
    expect(thin).toHaveLength(9)
    expect(thin.at(-1)).toBe(99)
    expect(thin).toEqual([...thin].sort((a, b) => a - b))
    const { errors } = await graphql(api.url, '{ run(id: "x") { progressHistory(points: 0) { seq } } }')
    expect(errors).toBeDefined()
  })

  test('samples of a dataset as data and as images', async () => {
    const header = 'id,a,b,label'
    const csv = Buffer.from([header, 's-0,0.5,1,cat', 's-1,2,-3,dog', 's-2,7,8,cat'].join('\n'))
    const table = await importDataset(api.platform, {
      name: 'table',
      uploadId: await upload(api.platform, 'table.csv', csv),
    })
    const text =
      'query ($id: ID!, $rows: [SafeInt!]!) { dataset(id: $id) { samples(rows: $rows) { row id labels features imageUrl } } }'
    const answer = await graphql(api.url, text, { id: encodeId('Dataset', table.id), rows: [2, 0, 3] })
    const { samples } = (answer.data as { readonly dataset: { readonly samples: readonly Record<string, unknown>[] } })
      .dataset
    expect(samples).toEqual([
      { row: 2, id: 's-2', labels: ['cat'], features: { x: [7, 8] }, imageUrl: null },
      { row: 0, id: 's-0', labels: ['cat'], features: { x: [0.5, 1] }, imageUrl: null },
    ])
    const refused = await fetch(`${api.url}/datasets/${encodeId('Dataset', table.id)}/samples/0.png`)
    expect(refused.status).toBe(400)
  })

  test('an image is what was stored, pixel by pixel', async () => {
    const pixels = new Uint8Array(2 * 3 * 8 * 9).map((_, i) => (i * 37) % 256)
    const file = safetensorsFile({
      x: { dtype: 'uint8', shape: [2, 3, 8, 9], data: pixels },
      y: { dtype: 'int64', shape: [2], data: new BigInt64Array([0n, 1n]) },
    })
    const uploadId = await upload(api.platform, 'images.safetensors', file)
    const images = await importDataset(api.platform, { name: 'images', uploadId })
    const url = `${api.url}/datasets/${encodeId('Dataset', images.id)}/samples`
    const response = await fetch(`${url}/1.png`)
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'image/png'])
    const { data, info } = await sharp(Buffer.from(await response.arrayBuffer()))
      .raw()
      .toBuffer({ resolveWithObject: true })
    expect([info.width, info.height, info.channels]).toEqual([9, 8, 3])
    const second = pixels.subarray(3 * 8 * 9)
    const expected = Array.from({ length: 72 }, (_, i) => [second[i], second[72 + i], second[144 + i]]).flat()
    expect([...data]).toEqual(expected)
    expect((await fetch(`${url}/2.png`)).status).toBe(404)
    expect((await fetch(`${url}/1.jpg`)).status).toBe(404)
  })

  test('nodes of a graph say where they take from', async () => {
    const model = await createModel(api.platform, {
      ...{ name: 'net', task: 'MULTICLASS', description: null, classes: null },
      architecture: {
        layers: { layers: [{ type: 'Linear', in_features: 4, out_features: 3 }, { type: 'ReLU' }], input: [4] },
      },
    })
    const text = 'query ($id: ID!) { model(id: $id) { architecture { inputs { name } nodes { name inputs } } } }'
    const answer = await graphql(api.url, text, { id: encodeId('Model', model.id) })
    const { inputs, nodes } = (
      answer.data as {
        readonly model: {
          readonly architecture: {
            readonly inputs: readonly { readonly name: string }[]
            readonly nodes: readonly { readonly name: string; readonly inputs: readonly string[] }[]
          }
        }
      }
    ).model.architecture
    expect(nodes[0]!.inputs).toEqual([inputs[0]!.name])
    expect(nodes[1]!.inputs).toEqual([nodes[0]!.name])
  })
})
