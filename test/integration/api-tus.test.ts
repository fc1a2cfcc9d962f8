import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFile, readdir, rm, stat, truncate } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Upload } from 'tus-js-client'
import { startApi } from '../../src/api/index.ts'
import { sweepUploads } from '../../src/usecase/index.ts'
import { graphql } from './api/client.ts'
import { startTestApi, type TestApi } from './api/server.ts'
import { createTus, creation, offsetOf, openPatch, patch, PIECE, sendTus, tus } from './api/tus.ts'

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
const uuidOf = (address: string) => /upl_([0-9a-f-]{36})$/.exec(address)![1]!

describe('tus', () => {
  let api: TestApi
  beforeAll(async () => {
    api = await startTestApi({
      platformLimits: { uploadBytes: 40_000_000, spoolBytes: 100_000_000 },
      limits: { uploadIdleMs: 1_500, shutdownMs: 1_000 },
    })
  })
  afterAll(async () => {
    await api[Symbol.asyncDispose]()
  })

  const row = (address: string) => api.store.prisma.upload.findUnique({ where: { id: uuidOf(address) } })
  const spooled = (address: string) => readFile(join(api.platform.spoolDir, uuidOf(address)))
  const filesOf = async (address: string) =>
    (await readdir(api.platform.spoolDir)).filter((name) => name.startsWith(uuidOf(address)))
  const head = (address: string) => tus('HEAD', address)
  const codeOf = (text: string) => (JSON.parse(text) as { errors: { code: string }[] }).errors[0]!.code

  async function complete(address: string, bytes: Buffer) {
    expect(await row(address)).toMatchObject({
      status: 'COMPLETE',
      bytes: BigInt(bytes.length),
      reserved: BigInt(bytes.length),
      sha256: sha256(bytes),
    })
    expect(bytes.equals(await spooled(address))).toBe(true)
  }

  async function gone(address: string) {
    expect(await row(address)).toBeNull()
    expect(await filesOf(address)).toEqual([])
    expect((await head(address)).status).toBe(404)
  }

  test.each([0, 1, 65_536, 30_000_000])('the reference client sends %i bytes', async (length) => {
    const bytes = randomBytes(length)
    const address = await sendTus(api.url, bytes, { metadata: { filename: '../é.pth', sha256: sha256(bytes) } })
    await complete(address, bytes)
    expect(await row(address)).toMatchObject({ fileName: 'é.pth', resumable: true })
    const { headers, status } = await head(address)
    expect({ status, id: headers['upload-id'], offset: offsetOf(headers) }).toEqual({
      status: 200,
      id: `upl_${uuidOf(address)}`,
      offset: length,
    })
  })

  test('the reference client sends in many requests, and in the creation', async () => {
    const bytes = randomBytes(3_000_001)
    await complete(await sendTus(api.url, bytes, { chunkSize: 100_000 }), bytes)
    await complete(await sendTus(api.url, bytes, { uploadDataDuringCreation: true }), bytes)
  })

  test('says what it can do, and nothing about other origins', async () => {
    const { status, headers } = await tus('OPTIONS', `${api.url}/uploads`, { origin: api.url })
    expect(status).toBe(204)
    expect(headers).toMatchObject({
      'tus-version': '1.0.0',
      'tus-extension': 'creation,creation-with-upload,expiration,termination',
      'tus-max-size': '40000000',
    })
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([])
    const created = await tus('POST', `${api.url}/uploads`, creation(5, 'a'))
    expect(created.headers['upload-id']).toMatch(/^upl_/)
    expect(created.headers.location).toBe(`/uploads/${String(created.headers['upload-id'])}`)
    const expires = Date.parse(created.headers['upload-expires'] as string)
    expect(Math.abs(expires - Date.now() - api.platform.limits.uploadLifetimeMs)).toBeLessThan(5_000)
    expect(Object.keys(created.headers).filter((name) => name.startsWith('access-control'))).toEqual([])
  })

  describe('refuses, with a code', () => {
    test.each([
      ['a page of another origin', { ...creation(5, 'a'), origin: 'https://evil.example' }, 403, 'BAD_INPUT'],
      ['no name', { 'upload-length': '5' }, 400, 'BAD_INPUT'],
      ['a folder for a name', creation(5, 'a/..'), 400, 'BAD_INPUT'],
      ['control characters in the name', creation(5, 'a\0b'), 400, 'BAD_INPUT'],
      ['no length', { 'upload-metadata': 'filename YQ==' }, 400, 'BAD_INPUT'],
      [
        'a length that comes later',
        { 'upload-defer-length': '1', 'upload-metadata': 'filename YQ==' },
        501,
        'BAD_INPUT',
      ],
      ['a length that is none', { ...creation(5, 'a'), 'upload-length': '-5' }, 400, 'BAD_INPUT'],
      ['metadata that are none', { 'upload-length': '5', 'upload-metadata': 'filename !' }, 400, 'BAD_INPUT'],
      ['a hash that is none', creation(5, 'a', 'abc'), 400, 'BAD_INPUT'],
      ['more than the limit', creation(40_000_001, 'a'), 413, 'LIMIT_EXCEEDED'],
      ['another version', { ...creation(5, 'a'), 'tus-resumable': '0.2.2' }, 400, 'BAD_INPUT'],
      ['parts to be joined', { ...creation(5, 'a'), 'upload-concat': 'partial' }, 501, 'BAD_INPUT'],
    ] as const)('%s', async (_what, headers, status, code) => {
      const before = await api.store.prisma.upload.count()
      const answer = await tus('POST', `${api.url}/uploads`, headers)
      expect([answer.status, codeOf(answer.text)]).toEqual([status, code])
      expect(await api.store.prisma.upload.count()).toBe(before)
    })

    test('a POST that is no tus', async () => {
      const answer = await fetch(`${api.url}/uploads`, { method: 'POST', body: 'x' })
      expect([answer.status, codeOf(await answer.text())]).toEqual([400, 'BAD_INPUT'])
    })

    test('an id that nothing has, and one of something else', async () => {
      for (const id of ['upl_01990000-0000-7000-8000-00000000ffff', 'mdl_01990000-0000-7000-8000-00000000ffff', 'x'])
        expect((await patch(`${api.url}/uploads/${id}`, 0, Buffer.from('x'))).status).toBe(404)
    })

    test('a wrong offset, and changes nothing', async () => {
      const bytes = randomBytes(1000)
      const address = await createTus(api.url, 1000)
      expect((await patch(address, 0, bytes.subarray(0, 400))).status).toBe(204)
      for (const offset of [0, 399, 401, 1000]) {
        const answer = await patch(address, offset, bytes.subarray(0, 10))
        expect([answer.status, codeOf(answer.text)]).toEqual([409, 'CONFLICT'])
      }
      expect(offsetOf((await head(address)).headers)).toBe(400)
      expect((await patch(address, 400, bytes.subarray(400))).status).toBe(204)
      await complete(address, bytes)
      expect((await patch(address, 1000, Buffer.alloc(0))).status).toBe(409)
    })

    test('more than was announced, and keeps what fits', async () => {
      const address = await createTus(api.url, 10)
      expect((await patch(address, 0, Buffer.alloc(11))).status).toBe(413)
      expect(offsetOf((await head(address)).headers)).toBe(0)
    })

    test('a wrong hash, and leaves nothing', async () => {
      const bytes = randomBytes(100_000)
      const address = await createTus(api.url, bytes.length, 'a', 'ab'.repeat(32))
      const answer = await patch(address, 0, bytes)
      expect([answer.status, codeOf(answer.text)]).toEqual([400, 'UPLOAD_INCOMPLETE'])
      expect(answer.text).toContain(sha256(bytes))
      await gone(address)
    })

    test('what the quota has no room for, and takes it when there is some', async () => {
      const taken: string[] = []
      for (;;) {
        const answer = await tus('POST', `${api.url}/uploads`, creation(30_000_000, 'large'))
        if (answer.status !== 201) {
          expect([answer.status, codeOf(answer.text)]).toEqual([413, 'LIMIT_EXCEEDED'])
          expect(answer.text).toContain('NOGRAD_SPOOL_BYTES')
          break
        }
        taken.push(api.url + answer.headers.location!)
      }
      expect(taken.length).toBeGreaterThan(0)
      // A PUT is refused, too, whether it says its length or not.
      for (const headers of [{}, { 'transfer-encoding': 'chunked' }]) {
        const { statusCode } = await putThrough(`${api.url}/uploads/x`, headers, 39_000_000)
        expect(statusCode).toBe(413)
      }
      for (const address of taken) expect((await tus('DELETE', address)).status).toBe(204)
      for (const address of taken) await gone(address)
      const again = await createTus(api.url, 30_000_000)
      expect((await tus('DELETE', again)).status).toBe(204)
    })
  })

  /** PUTs zeros of which the server may want only some. */
  async function putThrough(url: string, headers: Record<string, string>, length: number): Promise<IncomingMessage> {
    const { request } = await import('node:http')
    const sent = headers['transfer-encoding'] === undefined ? { ...headers, 'content-length': length } : headers
    const out = request(url, { method: 'PUT', agent: false, headers: sent })
    out.on('error', () => undefined)
    out.end(Buffer.alloc(length))
    const [response] = (await once(out, 'response')) as [IncomingMessage]
    response.resume()
    return response
  }

  test('what was cut is resumed where it ended', async () => {
    const bytes = randomBytes(5_000_000)
    const address = await createTus(api.url, bytes.length, 'cut.pth', sha256(bytes))
    const out = openPatch(address, 0, bytes.length)
    out.write(bytes.subarray(0, 2_000_000))
    await arrived(address, 2_000_000)
    out.socket!.resetAndDestroy()
    const offset = await settled(address)
    expect(offset).toBe(2_000_000)
    expect((await patch(address, offset, bytes.subarray(offset))).status).toBe(204)
    await complete(address, bytes)
  })

  test('the hash covers what came before, also when another server process received it', async () => {
    const bytes = randomBytes(4_000_000)
    const address = await createTus(api.url, bytes.length, 'restart.pth', sha256(bytes))
    await patch(address, 0, bytes.subarray(0, 3_000_000))
    const { api: other } = await secondApi()
    try {
      const there = address.replace(api.url, other.url)
      expect(offsetOf((await head(there)).headers)).toBe(3_000_000)
      expect((await patch(there, 3_000_000, bytes.subarray(3_000_000))).status).toBe(204)
    } finally {
      await other[Symbol.asyncDispose]()
    }
    await complete(address, bytes)
  })

  test('a server that has not the bytes says which one has', async () => {
    const address = await createTus(api.url, 100)
    const { api: other, spoolDir } = await secondApi(`${api.platform.spoolDir}-other`)
    try {
      const answer = await patch(address.replace(api.url, other.url), 0, Buffer.alloc(100))
      const { hostname } = (await row(address))!
      expect([answer.status, codeOf(answer.text)]).toEqual([421, 'CONFLICT'])
      expect(answer.text).toContain(`the server ${hostname} has the bytes`)
    } finally {
      await other[Symbol.asyncDispose]()
      await rm(spoolDir, { recursive: true })
    }
    expect((await patch(address, 0, Buffer.alloc(100))).status).toBe(204)
  })

  async function secondApi(spoolDir = api.platform.spoolDir) {
    const platform = { ...api.platform, spoolDir }
    const limits = { uploadIdleMs: 1_500, shutdownMs: 1_000 }
    return { api: await startApi({ platform, host: '127.0.0.1', port: 0, development: false, limits }), spoolDir }
  }

  test('of two clients that write one upload at once, one is refused and loses nothing', async () => {
    const bytes = randomBytes(1_000_000)
    const address = await createTus(api.url, bytes.length, 'two.pth', sha256(bytes))
    const out = openPatch(address, 0, bytes.length)
    out.write(bytes.subarray(0, 500_000))
    await arrived(address, 500_000)
    // Keeps sending, so that it is not taken for dead.
    let at = 500_000
    const drip = setInterval(() => out.write(bytes.subarray(at, (at += 1000))), 200)
    const second = await patch(address, 0, bytes)
    expect([second.status, codeOf(second.text)]).toEqual([423, 'CONFLICT'])
    const deleted = await graphql(
      api.url,
      'mutation ($input: DeleteUploadInput!) { deleteUpload(input: $input) { deletedId errors { code } } }',
      { input: { uploadId: `upl_${uuidOf(address)}` } },
    )
    expect(deleted.data).toEqual({ deleteUpload: { deletedId: null, errors: [{ code: 'CONFLICT' }] } })
    clearInterval(drip)
    out.end(bytes.subarray(at))
    const [response] = (await once(out, 'response')) as [IncomingMessage]
    expect(response.statusCode).toBe(204)
    await complete(address, bytes)
  })

  test('a client that fell silent is cut, and keeps what it sent', async () => {
    const address = await createTus(api.url, 1000)
    const out = openPatch(address, 0, 1000)
    out.write(Buffer.alloc(300))
    const [response] = (await once(out, 'response')) as [IncomingMessage]
    expect([response.statusCode, offsetOf(response.headers)]).toEqual([204, 300])
    out.destroy()
    expect(await settled(address)).toBe(300)
  })

  test('a server that stops cuts uploads at once; the client goes on with the next one', async () => {
    const bytes = randomBytes(6_000_000)
    let { api: server } = await secondApi()
    const { port } = server
    const retries: number[] = []
    const finished = new Promise<string>((resolve, reject) => {
      // Slow enough that the server stops in the middle.
      const upload: Upload = new Upload(bytes, {
        endpoint: `${server.url}/uploads`,
        metadata: { filename: 'restart.pth', sha256: sha256(bytes) },
        chunkSize: 200_000,
        retryDelays: [100, 200, 400, 800, 1600],
        onChunkComplete: (_size, accepted) => {
          if (accepted === 1_000_000) void restart()
        },
        onAfterResponse: (_request, response) => void retries.push(response.getStatus()),
        onSuccess: () => resolve(upload.url!),
        onError: reject,
      })
      upload.start()
    })
    async function restart() {
      await server[Symbol.asyncDispose]()
      await sleep(300)
      const { platform } = api
      server = await startApi({ platform, host: '127.0.0.1', port, development: false })
    }
    const address = await finished
    await complete(address, bytes)
    expect(retries.length).toBeGreaterThan(30)
    await server[Symbol.asyncDispose]()
  })

  test('what a crash left before the row knew is found again', async () => {
    const bytes = randomBytes(10_000)
    // All bytes there, not verified.
    const first = await createTus(api.url, bytes.length, 'a', sha256(bytes))
    const { writeFile, rename } = await import('node:fs/promises')
    const path = (address: string) => join(api.platform.spoolDir, uuidOf(address))
    await writeFile(`${path(first)}.part`, bytes)
    expect(offsetOf((await head(first)).headers)).toBe(bytes.length)
    await complete(first, bytes)
    // Verified, and under the final name.
    const second = await createTus(api.url, bytes.length, 'a', sha256(bytes))
    await writeFile(`${path(second)}.part`, bytes)
    await rename(`${path(second)}.part`, path(second))
    expect(offsetOf((await head(second)).headers)).toBe(bytes.length)
    await complete(second, bytes)
    // The disk lost what was written last.
    const third = await createTus(api.url, bytes.length, 'a', sha256(bytes))
    await patch(third, 0, bytes.subarray(0, 9000))
    await truncate(`${path(third)}.part`, 4000)
    expect(offsetOf((await head(third)).headers)).toBe(4000)
    expect((await patch(third, 4000, bytes.subarray(4000))).status).toBe(204)
    await complete(third, bytes)
    // All of it.
    const fourth = await createTus(api.url, bytes.length, 'a')
    await rm(`${path(fourth)}.part`)
    expect((await head(fourth)).status).toBe(404)
  })

  test('expires, and is swept with its bytes', async () => {
    const address = await createTus(api.url, 1000)
    await patch(address, 0, Buffer.alloc(10))
    await api.store.prisma.upload.update({
      where: { id: uuidOf(address) },
      data: { expiresAt: new Date(Date.now() - 1000) },
    })
    expect((await head(address)).status).toBe(404)
    expect((await patch(address, 10, Buffer.alloc(990))).status).toBe(404)
    expect(await sweepUploads(api.platform)).toMatchObject({ expired: 1 })
    await gone(address)
  })

  test('a partial file is readable by its owner only', async () => {
    const address = await createTus(api.url, 1000)
    const { mode } = await stat(join(api.platform.spoolDir, `${uuidOf(address)}.part`))
    expect(mode & 0o077).toBe(0)
  })

  test('an empty body is no progress', async () => {
    const address = await createTus(api.url, 10)
    expect((await tus('PATCH', address, { 'upload-offset': '0', ...PIECE })).status).toBe(204)
    expect(offsetOf((await head(address)).headers)).toBe(0)
  })

  /** Waits until the partial file has so many bytes. */
  async function arrived(address: string, bytes: number) {
    const path = join(api.platform.spoolDir, `${uuidOf(address)}.part`)
    for (let tries = 0; tries < 200 && (await stat(path)).size < bytes; tries++) await sleep(20)
    expect((await stat(path)).size).toBe(bytes)
  }

  /** The offset once the server has noticed that the client is gone. */
  async function settled(address: string): Promise<number> {
    for (let tries = 0; tries < 20; tries++) {
      const { status, headers } = await head(address)
      if (status === 200) return offsetOf(headers)
    }
    throw new Error('the upload stays taken')
  }
})
