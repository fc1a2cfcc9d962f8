import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { graphql } from './api/client.ts'
import { rowWriter } from './api/rows.ts'
import { startTestApi, type TestApi } from './api/server.ts'

// Every relation of the schema, inside lists, and the statements that it may take: one for each relation of each level, and one for
// the rows of each page. Two that come at the same moment may be answered by one statement, so this is the most.
const NESTED = {
  'a list of runs with all that they belong to': [
    12,
    `{
    runs(first: 50) {
      nodes {
        id
        model { name architecture { sha256 parameterCount } }
        checkpoint { name tensors { key shape } locations tree model { name } }
        dataset { name columns { name } }
        metrics { name value }
        accuracy: metrics(names: ["accuracy"]) { value }
        confusionMatrix
        log { message }
        one: log(last: 1) { message }
      }
    }
  }`,
  ],
  'pages inside lists inside lists': [
    11,
    `{
    models(first: 20) {
      nodes {
        name
        checkpoints(first: 5) {
          nodes { name tensors { key } runs(first: 3) { nodes { id metrics { value } } pageInfo { hasNextPage } } }
          pageInfo { hasNextPage hasPreviousPage }
        }
        few: runs(first: 2) { nodes { id } }
        more: runs(first: 5) { nodes { id dataset { name } } }
      }
    }
  }`,
  ],
  'datasets with their runs': [
    5,
    `{
    datasets(first: 50) { nodes { name columns { name role } runs(first: 5) { nodes { id checkpoint { name } } } } }
  }`,
  ],
} satisfies Record<string, [number, string]>

describe('the number of SQL statements', () => {
  let api: TestApi
  let write: ReturnType<typeof rowWriter>
  beforeAll(async () => {
    api = await startTestApi()
    write = rowWriter(api.store.prisma)
  })
  afterAll(async () => {
    await api[Symbol.asyncDispose]()
  })

  async function grow(models: number, checkpoints: number, runs: number) {
    for (let m = 0; m < models; m++) {
      const model = await write.model()
      const dataset = await write.dataset()
      for (let c = 0; c < checkpoints; c++) {
        const checkpoint = await write.checkpoint(model.id)
        for (let r = 0; r < runs; r++) {
          const { id } = await write.run(checkpoint, dataset.id, { status: 'SUCCEEDED', metrics: 2 })
          await api.store.prisma.runEvent.create({
            data: { runId: id, seq: 1, kind: 'LOG', payload: { level: 'info', message: 'begun' } },
          })
        }
      }
    }
  }

  async function statementsOf(query: string): Promise<{ count: number; answered: number }> {
    const before = api.statements.length
    const answer = await graphql(api.url, query)
    expect(answer.errors).toBeUndefined()
    return { count: api.statements.length - before, answered: JSON.stringify(answer).length }
  }

  test('of a nested query does not depend on the number of rows', async () => {
    // More runs than a page inside a list shows, so that no relation finds all its rows loaded by another.
    await grow(1, 2, 3)
    const few = new Map<string, number>()
    for (const [name, [most, query]] of Object.entries(NESTED)) {
      const { count, answered } = await statementsOf(query)
      expect(count).toBeLessThanOrEqual(most)
      few.set(name, answered)
    }
    await grow(6, 5, 4)
    for (const [name, [most, query]] of Object.entries(NESTED)) {
      const { count, answered } = await statementsOf(query)
      expect(count).toBeLessThanOrEqual(most)
      // The larger answer shows that there was more to load.
      expect(answered).toBeGreaterThan(3 * few.get(name)!)
    }
  })
})
