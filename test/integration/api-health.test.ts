import { describe, expect, test } from '@jest/globals'
import { once } from 'node:events'
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { startApi } from '../../src/api/index.ts'
import { encodeId } from '../../src/api/object-id.ts'
import { collect, send, socketClient } from './api/client.ts'
import { rowWriter } from './api/rows.ts'
import { startTestApi } from './api/server.ts'

const json = async (url: string) => {
  const { status, text } = await send(url)
  return { status, body: JSON.parse(text) as Record<string, unknown> }
}

describe('health', () => {
  test('says that the process lives, that the database is there, and that no worker is', async () => {
    await using api = await startTestApi()
    expect(await json(`${api.url}/healthz`)).toEqual({ status: 200, body: { ok: true } })
    expect(await json(`${api.url}/readyz`)).toEqual({
      status: 200,
      body: {
        ok: true,
        database: { ok: true, migrations: expect.any(Number) },
        workers: { alive: 0, message: 'no worker is alive: runs wait for one' },
      },
    })
  })

  test('is not ready without its tables', async () => {
    await using api = await startTestApi()
    await api.store.prisma.$executeRawUnsafe('alter table _prisma_migrations rename to elsewhere')
    expect(await json(`${api.url}/readyz`)).toMatchObject({ status: 503, body: { ok: false, database: { ok: false } } })
    expect((await json(`${api.url}/healthz`)).status).toBe(200)
    await api.store.prisma.$executeRawUnsafe('alter table elsewhere rename to _prisma_migrations')
    expect((await json(`${api.url}/readyz`)).status).toBe(200)
  })
})

describe('an API that stops', () => {
  test('lets a request end, says goodbye to WebSockets, and takes nothing new', async () => {
    const api = await startTestApi()
    const write = rowWriter(api.store.prisma)
    const run = await write.run(await write.checkpoint((await write.model()).id), (await write.dataset()).id)
    const socket = new WebSocket(`${api.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws')
    await once(socket, 'open')
    const closed = once(socket, 'close')
    const client = socketClient(api.url)
    const watching = collect(client, 'subscription ($id: ID!) { runProgress(id: $id) { kind } }', {
      id: encodeId('Run', run.id),
    }).catch((error: unknown) => error)
    // A request that is half sent when the server begins to stop.
    const out = request(`${api.url}/graphql`, {
      method: 'POST',
      agent: false,
      headers: { 'content-type': 'application/json' },
    })
    out.write('{"query": ')
    await sleep(300)
    const stopped = api.api[Symbol.asyncDispose]()
    expect((await closed)[0]).toBe(1001)
    expect(await watching).toMatchObject({ code: 1001 })
    await expect(send(`${api.url}/healthz`)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    out.end('"{ __typename }"}')
    const [response] = (await once(out, 'response')) as [{ statusCode: number; resume(): void }]
    expect(response.statusCode).toBe(200)
    response.resume()
    await stopped
    await client.dispose()
    await api[Symbol.asyncDispose]()
  })

  test('does not wait for connections that are only kept alive', async () => {
    const api = await startTestApi()
    await fetch(`${api.url}/healthz`).then((response) => response.text())
    const begun = performance.now()
    await api.api[Symbol.asyncDispose]()
    expect(performance.now() - begun).toBeLessThan(2_000)
    await api[Symbol.asyncDispose]()
  })

  test('waits no longer than it was told to', async () => {
    const api = await startTestApi({ limits: { shutdownMs: 300 } })
    const out = request(`${api.url}/uploads/a`, {
      method: 'PUT',
      agent: false,
      headers: { 'content-type': 'application/octet-stream', 'content-length': '1000' },
    })
    const failed = once(out, 'response').catch((error: unknown) => error)
    out.write('12345')
    await sleep(200)
    const begun = performance.now()
    await api.api[Symbol.asyncDispose]()
    expect(performance.now() - begun).toBeLessThan(3_000)
    await failed
    expect(await api.store.prisma.upload.count()).toBe(0)
    await api[Symbol.asyncDispose]()
  })
})

describe('a port', () => {
  test('that is taken is named', async () => {
    await using api = await startTestApi()
    await expect(
      startApi({ platform: api.platform, host: '127.0.0.1', port: api.api.port, development: false }),
    ).rejects.toMatchObject({
      code: 'CONFLICT',
      message: `port ${api.api.port} of 127.0.0.1 is taken by another process; stop it, or choose another port`,
    })
  })
  test('of an address that is not ours is refused', async () => {
    await using api = await startTestApi()
    await expect(
      startApi({ platform: api.platform, host: '192.0.2.1', port: 0, development: false }),
    ).rejects.toMatchObject({ code: 'BAD_INPUT' })
  })
})
