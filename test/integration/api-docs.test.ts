import { describe, expect, test } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { Kind, OperationTypeNode, parse } from 'graphql'
import { createClient, type ClientOptions } from 'graphql-ws'
import { WebSocket } from 'ws'
import { DEFAULT_API_LIMITS } from '../../src/api/index.ts'
import { collect, graphql, socketClient } from './api/client.ts'
import { readExamples, documentIds, type Example } from './api/document.ts'
import { startTestApi, type TestApi } from './api/server.ts'
import { fixture } from './api/upload.ts'
import { startTestWorker } from './worker/test-worker.ts'

describe('docs/graphql.md', () => {
  test('every example works, in order, and answers what it says', async () => {
    await using api = await startTestApi()
    await using worker = await startTestWorker(api.platform, api.platform.spoolDir)
    expect(worker.engine.name).toBe('onnxruntime')
    const ids = documentIds()
    const examples = readExamples('docs/graphql.md')
    expect(examples.length).toBeGreaterThan(12)
    for (const example of examples) {
      const answer = await answerOf(api, {
        ...example,
        text: ids.toReal(example.text),
        variables: ids.toReal(example.variables),
      })
      if (example.answer !== undefined)
        expect([`line ${example.line}`, ids.difference(example.answer, answer)]).toEqual([`line ${example.line}`, null])
    }
  })

  test('the table of limits is the defaults', () => {
    const text = readFileSync(new URL('../../docs/graphql.md', import.meta.url), 'utf8')
    const rows = [...text.matchAll(/^\| `(\w+)` +\| ([\d,]+) +\|/gm)]
    expect(Object.fromEntries(rows.map(([, name, value]) => [name, Number(value!.replaceAll(',', ''))]))).toEqual(
      DEFAULT_API_LIMITS,
    )
  })
})

async function answerOf(api: TestApi, { language, text, variables }: Example): Promise<unknown> {
  if (language === 'sh') return await curl(api.url, text)
  if (language === 'js') return await runScript(api.url, text)
  const [operation] = parse(text).definitions
  if (operation?.kind === Kind.OPERATION_DEFINITION && operation.operation === OperationTypeNode.SUBSCRIPTION) {
    const client = socketClient(api.url)
    try {
      return await watch(client, text, variables as Record<string, unknown>)
    } finally {
      await client.dispose()
    }
  }
  const { status, ...answer } = await graphql(api.url, text, variables as Record<string, unknown>)
  expect(status).toBe(200)
  return answer
}

/** All that a subscription of one run says; a subscription without an end is only begun. */
async function watch(client: ReturnType<typeof socketClient>, query: string, variables: Record<string, unknown>) {
  if (!query.includes('runProgress')) {
    const items = client.iterate({ query, variables })
    const first = items.next()
    const ended = await Promise.race([first, new Promise<null>((resolve) => setTimeout(resolve, 300, null))])
    expect(ended).toBeNull()
    return null
  }
  const items = await collect(client, query, variables)
  expect(items.filter(({ errors }) => errors !== undefined)).toEqual([])
  expect((items.at(-1)!.data as { runProgress: { status: string } }).runProgress.status).toBe('SUCCEEDED')
  return items
}

/** Does what a curl command of the document says: an upload of a fixture, or a query. */
async function curl(url: string, command: string): Promise<unknown> {
  const address = /http:\/\/localhost:4000(\/[^\s']*)/.exec(command)![1]!
  const headers = Object.fromEntries(
    [...command.matchAll(/-H '([^:]+): ([^']+)'/g)].map(([, name, value]) => [name, value] as [string, string]),
  )
  const file = /-T (\S+)/.exec(command)?.[1]
  const data = /-d '([^']+)'/.exec(command)?.[1]
  // As curl does: -T is a PUT, and a folder is filled up with the file's name.
  const response = await fetch(url + (address.endsWith('/') ? `${address}${file}` : address), {
    method: file === undefined ? 'POST' : 'PUT',
    headers,
    body: file === undefined ? data! : ((await fixture(file)) as BodyInit),
  })
  return await response.json()
}

/** Runs a script of the document against this API; what it printed. */
async function runScript(url: string, script: string): Promise<unknown> {
  const printed: unknown[][] = []
  const body = script
    .replace("import { createClient } from 'graphql-ws'\n", '')
    .replaceAll('ws://localhost:4000', url.replace('http', 'ws'))
  // eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call
  await new Function('createClient', 'console', `return (async () => {${body}})()`)(
    (options: ClientOptions) => createClient({ ...options, webSocketImpl: WebSocket }),
    { log: (...values: unknown[]) => printed.push(values) },
  )
  expect(printed.length).toBeGreaterThan(0)
  return printed
}
