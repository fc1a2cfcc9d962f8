import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdir, readFile, stat } from 'node:fs/promises'
import { Agent, request, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { graphql, send } from './api/client.ts'
import { startTestApi, type TestApi } from './api/server.ts'

const BYTES = { 'content-type': 'application/octet-stream' }
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

describe('POST /uploads', () => {
  let api: TestApi
  beforeAll(async () => {
    api = await startTestApi({ platformLimits: { uploadBytes: 40_000_000 }, limits: { uploadIdleMs: 1_000 } })
  })
  afterAll(async () => {
    await api[Symbol.asyncDispose]()
  })

  const upload = (body: Buffer, headers: Record<string, string> = BYTES, query = '?filename=weights.pth') =>
    send(`${api.url}/uploads${query}`, { method: 'POST', headers, body })

  /** What is left of uploads: rows and files. */
  async function left() {
    const files = await readdir(api.platform.spoolDir)
    return { rows: await api.store.prisma.upload.count(), files: files.length }
  }

  async function nothingMoreThan(before: { rows: number; files: number }) {
    for (let tries = 0; tries < 100; tries++) {
      const now = await left()
      if (now.rows === before.rows && now.files === before.files) break
      await sleep(50)
    }
    expect(await left()).toEqual(before)
    expect((await graphql(api.url, '{ __typename }')).status).toBe(200)
  }

  test.each([0, 1, 65_536, 30_000_000])('takes a file of %i bytes', async (length) => {
    const bytes = randomBytes(length)
    const { status, text } = await upload(bytes, { ...BYTES, 'x-content-sha256': sha256(bytes).toUpperCase() })
    expect(status).toBe(201)
    const answer = JSON.parse(text) as { uploadId: string }
    expect(answer).toEqual({
      uploadId: expect.stringMatching(/^upl_[0-9a-f-]{36}$/),
      fileName: 'weights.pth',
      bytes: length,
      sha256: sha256(bytes),
    })
    expect(bytes.equals(await readFile(join(api.platform.spoolDir, answer.uploadId.slice(4))))).toBe(true)
  })

  test('takes a file in chunks, of a length that is not announced', async () => {
    const bytes = randomBytes(5_000_000)
    const { status, text } = await upload(bytes, { ...BYTES, 'transfer-encoding': 'chunked' })
    expect([status, (JSON.parse(text) as { sha256: string }).sha256]).toEqual([201, sha256(bytes)])
  })

  test('takes a file of a client that asks first, and refuses it before it was sent', async () => {
    const answerTo = (headers: Record<string, string>) =>
      new Promise<{ status: number; continued: boolean }>((resolve, reject) => {
        let continued = false
        const out = request(`${api.url}/uploads?filename=a`, {
          method: 'POST',
          agent: false,
          headers: { ...BYTES, expect: '100-continue', ...headers },
        })
        out.on('continue', () => {
          continued = true
          out.end('12345')
        })
        out.on('response', (response) => {
          response.resume()
          resolve({ status: response.statusCode!, continued })
          out.destroy()
        })
        out.on('error', reject)
        out.flushHeaders()
      })
    expect(await answerTo({ 'content-length': '5' })).toEqual({ status: 201, continued: true })
    expect(await answerTo({ 'content-length': '40000001' })).toEqual({ status: 413, continued: false })
    expect(await answerTo({ 'content-length': '5', 'content-type': 'text/plain' })).toEqual({
      status: 400,
      continued: false,
    })
  })

  describe('refuses, with a code, and keeps nothing', () => {
    const small = Buffer.from('12345')
    test.each([
      ['another type', small, { 'content-type': 'text/plain' }, '?filename=a', 400, 'BAD_INPUT'],
      ['a form', small, { 'content-type': 'multipart/form-data; boundary=x' }, '?filename=a', 400, 'BAD_INPUT'],
      ['no type', small, {}, '?filename=a', 400, 'BAD_INPUT'],
      ['a packed body', small, { ...BYTES, 'content-encoding': 'gzip' }, '?filename=a', 400, 'BAD_INPUT'],
      ['no name', small, BYTES, '', 400, 'BAD_INPUT'],
      ['two names', small, BYTES, '?filename=a&filename=b', 400, 'BAD_INPUT'],
      ['a name that is a folder', small, BYTES, '?filename=..', 400, 'BAD_INPUT'],
      ['a hash that is none', small, { ...BYTES, 'x-content-sha256': 'abc' }, '?filename=a', 400, 'BAD_INPUT'],
      [
        'another hash',
        small,
        { ...BYTES, 'x-content-sha256': 'ab'.repeat(32) },
        '?filename=a',
        400,
        'UPLOAD_INCOMPLETE',
      ],
      ['more than the limit, announced', Buffer.alloc(40_000_001), BYTES, '?filename=a', 413, 'LIMIT_EXCEEDED'],
      [
        'more than the limit, not announced',
        Buffer.alloc(40_000_001),
        { ...BYTES, 'transfer-encoding': 'chunked' },
        '?filename=a',
        413,
        'LIMIT_EXCEEDED',
      ],
    ] as const)('%s', async (_name, body, headers, query, status, code) => {
      const before = await left()
      const answer = await upload(body, headers, query)
      expect([answer.status, JSON.parse(answer.text)]).toEqual([
        status,
        { errors: [expect.objectContaining({ code, message: expect.any(String) })] },
      ])
      await nothingMoreThan(before)
    })

    test('a name is kept without its folders', async () => {
      const answer = await upload(small, BYTES, `?filename=${encodeURIComponent('../../C:\\data/é weights.pth')}`)
      expect(JSON.parse(answer.text)).toMatchObject({ fileName: 'é weights.pth' })
    })
  })

  test('a file of which more is announced than can be taken is refused before it comes', async () => {
    const out = request(`${api.url}/uploads?filename=a`, {
      method: 'POST',
      agent: false,
      headers: { ...BYTES, 'content-length': '99999999999' },
    })
    out.on('error', () => undefined)
    out.flushHeaders()
    const [response] = (await once(out, 'response')) as [AsyncIterable<Buffer> & { statusCode: number }]
    let text = ''
    for await (const piece of response) text += piece.toString()
    expect([response.statusCode, text]).toEqual([413, expect.stringContaining('"code":"LIMIT_EXCEEDED"')])
    out.destroy()
  })

  test('a connection whose upload was refused can be used again', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const ports = new Set<number>()
    for (const [sent, status] of [
      ['ab'.repeat(32), 400],
      [sha256(Buffer.from('12345')), 201],
    ] as const) {
      const out = request(`${api.url}/uploads?filename=a`, {
        method: 'POST',
        agent,
        headers: { ...BYTES, 'x-content-sha256': sent },
      })
      out.end('12345')
      const [response] = (await once(out, 'response')) as [IncomingMessage]
      ports.add(response.socket.localPort!)
      response.resume()
      await once(response, 'end')
      expect(response.statusCode).toBe(status)
    }
    expect(ports.size).toBe(1)
    agent.destroy()
  })

  describe('an upload that is cut leaves nothing', () => {
    async function cut(sendPart: (out: ReturnType<typeof request>) => void) {
      const before = await left()
      const out = request(`${api.url}/uploads?filename=cut.pth`, {
        method: 'POST',
        agent: false,
        headers: { ...BYTES, 'content-length': '20000000' },
      })
      out.on('error', () => undefined)
      out.write(randomBytes(3_000_000))
      for (let tries = 0; tries < 100 && (await left()).files === before.files; tries++) await sleep(20)
      expect((await left()).files).toBe(before.files + 1)
      sendPart(out)
      await nothingMoreThan(before)
    }

    test('when the client dies', async () => {
      await cut((out) => out.destroy())
    })
    test('when the client falls silent', async () => {
      await cut(() => undefined)
    })
    test('when the client resets the connection', async () => {
      await cut((out) => out.socket!.resetAndDestroy())
    })
  })

  test('a disk that is slower than the client slows the client: memory does not grow', async () => {
    const before = process.memoryUsage().arrayBuffers
    let most = 0
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage().arrayBuffers)
    }, 5)
    const piece = Buffer.alloc(1_000_000)
    const out = request(`${api.url}/uploads?filename=a`, {
      method: 'POST',
      agent: false,
      headers: { ...BYTES, 'content-length': '40000000' },
    })
    for (let at = 0; at < 40; at++) if (!out.write(piece)) await once(out, 'drain')
    out.end()
    const [response] = (await once(out, 'response')) as [{ statusCode: number; resume(): void }]
    response.resume()
    clearInterval(watch)
    expect(response.statusCode).toBe(201)
    expect(most - before).toBeLessThan(25_000_000)
  })

  test('files of uploads are readable by their owner only', async () => {
    const { text } = await upload(Buffer.from('secret'))
    const { uploadId } = JSON.parse(text) as { uploadId: string }
    expect((await stat(join(api.platform.spoolDir, uploadId.slice(4)))).mode & 0o077).toBe(0)
  })
})
