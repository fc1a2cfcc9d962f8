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
/** What the spool holds besides uploads. */
const OWN = 'spool.json'
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

describe('PUT /uploads/NAME', () => {
  let api: TestApi
  beforeAll(async () => {
    api = await startTestApi({ platformLimits: { uploadBytes: 40_000_000 }, limits: { uploadIdleMs: 1_000 } })
  })
  afterAll(async () => {
    await api[Symbol.asyncDispose]()
  })

  const upload = (body: Buffer, headers: Record<string, string> = BYTES, name = 'weights.pth') =>
    send(`${api.url}/uploads/${name}`, { method: 'PUT', headers, body })

  /** What is left of uploads: rows and files. */
  async function left() {
    const files = (await readdir(api.platform.spoolDir)).filter((name) => name !== OWN)
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
        const out = request(`${api.url}/uploads/a`, {
          method: 'PUT',
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
    const form = { 'content-length': '5', 'content-type': 'multipart/form-data; boundary=x' }
    expect(await answerTo(form)).toEqual({ status: 400, continued: false })
  })

  describe('refuses, with a code, and keeps nothing', () => {
    const small = Buffer.from('12345')
    test.each([
      ['a form', small, { 'content-type': 'multipart/form-data; boundary=x' }, 'a', 400, 'BAD_INPUT'],
      ['a form of fields', small, { 'content-type': 'application/x-www-form-urlencoded' }, 'a', 400, 'BAD_INPUT'],
      ['a part', small, { ...BYTES, 'content-range': 'bytes 5-9/10' }, 'a', 400, 'BAD_INPUT'],
      ['a page of another origin', small, { ...BYTES, origin: 'https://evil.example' }, 'a', 403, 'BAD_INPUT'],
      ['a page of no origin', small, { ...BYTES, origin: 'null' }, 'a', 403, 'BAD_INPUT'],
      ['a packed body', small, { ...BYTES, 'content-encoding': 'gzip' }, 'a', 400, 'BAD_INPUT'],
      ['no name', small, BYTES, '', 400, 'BAD_INPUT'],
      ['a name that ends in a folder', small, BYTES, 'a%2f..', 400, 'BAD_INPUT'],
      ['a name with NUL', small, BYTES, 'a%00b', 400, 'BAD_INPUT'],
      ['a name that is no UTF-8', small, BYTES, 'a%ff', 400, 'BAD_INPUT'],
      ['a name of 256 characters', small, BYTES, 'x'.repeat(256), 400, 'BAD_INPUT'],
      ['a hash that is none', small, { ...BYTES, 'x-content-sha256': 'abc' }, 'a', 400, 'BAD_INPUT'],
      ['another hash', small, { ...BYTES, 'x-content-sha256': 'ab'.repeat(32) }, 'a', 400, 'UPLOAD_INCOMPLETE'],
      ['more than the limit, announced', Buffer.alloc(40_000_001), BYTES, 'a', 413, 'LIMIT_EXCEEDED'],
      [
        'more than the limit, not announced',
        Buffer.alloc(40_000_001),
        { ...BYTES, 'transfer-encoding': 'chunked' },
        'a',
        413,
        'LIMIT_EXCEEDED',
      ],
    ] as const)('%s', async (_what, body, headers, name, status, code) => {
      const before = await left()
      const answer = await upload(body, headers, name)
      expect([answer.status, JSON.parse(answer.text)]).toEqual([
        status,
        { errors: [expect.objectContaining({ code, message: expect.any(String) })] },
      ])
      await nothingMoreThan(before)
    })

    test('a name is kept without its folders', async () => {
      const answer = await upload(small, BYTES, encodeURIComponent('../../C:\\data/é weights.pth'))
      expect(JSON.parse(answer.text)).toMatchObject({ fileName: 'é weights.pth' })
    })
  })

  test('a file of which more is announced than can be taken is refused before it comes', async () => {
    const out = request(`${api.url}/uploads/a`, {
      method: 'PUT',
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
      const out = request(`${api.url}/uploads/a`, {
        method: 'PUT',
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
      const out = request(`${api.url}/uploads/cut.pth`, {
        method: 'PUT',
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
    const out = request(`${api.url}/uploads/a`, {
      method: 'PUT',
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
