import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { readFile, readdir, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../../src/error.ts'
import { receiveUpload, sweepUploads, type Platform, type ReceiveUploadInput } from '../../src/usecase/index.ts'
import { inPieces, openTestPlatform, type TestPlatform } from './usecase/test-platform.ts'

describe('uploads', () => {
  let test_: TestPlatform
  let platform: Platform
  beforeAll(async () => {
    test_ = await openTestPlatform({ uploadBytes: 1_000_000 })
    platform = test_.platform
  })
  afterAll(async () => {
    await test_[Symbol.asyncDispose]()
  })

  /** Without what the spool says of itself. */
  const spool = async () => (await readdir(platform.spoolDir).catch(() => [])).filter((name) => name !== 'spool.json')
  const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

  /** Expects a refusal that leaves nothing behind. */
  async function refused(input: ReceiveUploadInput, code: string, message: RegExp, on = platform) {
    const before = [await spool(), await platform.store.prisma.upload.count()]
    const failure = await receiveUpload(on, input).then(
      () => null,
      (error: unknown) => error,
    )
    expect(failure).toBeInstanceOf(AppError)
    expect(failure).toMatchObject({ code, message: expect.stringMatching(message) })
    expect([await spool(), await platform.store.prisma.upload.count()]).toEqual(before)
  }

  test('arrive whole, hashed, under the last part of their name', async () => {
    const bytes = randomBytes(300_001)
    const row = await receiveUpload(platform, {
      fileName: 'C:\\models\\../weights.pth',
      body: inPieces(bytes, 7777),
      expectedBytes: bytes.byteLength,
      expectedSha256: sha256(bytes).toUpperCase(),
    })
    expect(row).toMatchObject({
      fileName: 'weights.pth',
      status: 'COMPLETE',
      bytes: 300_001n,
      sha256: sha256(bytes),
    })
    expect(new Uint8Array(await readFile(join(platform.spoolDir, row.id)))).toEqual(new Uint8Array(bytes))
    expect((await stat(join(platform.spoolDir, row.id))).mode & 0o077).toBe(0)
  })

  test('may be empty: what imports them says so', async () => {
    const row = await receiveUpload(platform, { fileName: 'empty', body: inPieces(new Uint8Array()), expectedBytes: 0 })
    expect(row).toMatchObject({ status: 'COMPLETE', bytes: 0n })
  })

  test('are written before the next piece is asked for', async () => {
    let asked = 0
    let written = 0
    async function* body() {
      for (let i = 0; i < 20; i++) {
        asked++
        const [part] = (await spool()).filter((name) => name.endsWith('.part'))
        written = (await stat(join(platform.spoolDir, part!))).size
        expect(written).toBe(i * 10_000)
        yield randomBytes(10_000)
      }
    }
    await receiveUpload(platform, { fileName: 'slow', body: body() })
    expect(asked).toBe(20)
  })

  test('are refused when they were cut, are too long, or are others than announced', async () => {
    const bytes = randomBytes(50_000)
    // eslint-disable-next-line @typescript-eslint/require-await
    async function* cut() {
      yield bytes
      throw Object.assign(new Error('aborted'), { code: 'ECONNRESET' })
    }
    await refused(
      { fileName: 'a', body: cut() },
      'UPLOAD_INCOMPLETE',
      /^a: the connection ended after 50000 bytes; send/,
    )
    await refused(
      { fileName: 'a', body: inPieces(bytes), expectedBytes: 50_001 },
      'UPLOAD_INCOMPLETE',
      /50000 bytes arrived, 50001/,
    )
    await refused(
      { fileName: 'a', body: inPieces(bytes, 1000), expectedBytes: 49_999 },
      'UPLOAD_INCOMPLETE',
      /more than the 49999/,
    )
    await refused(
      { fileName: 'a', body: inPieces(bytes), expectedSha256: '0'.repeat(64) },
      'UPLOAD_INCOMPLETE',
      /have SHA-256/,
    )
  })

  test('end at once when the sender is gone', async () => {
    const gone = new AbortController()
    async function* body() {
      yield randomBytes(1000)
      gone.abort(new Error('the client is gone'))
      // A socket that says nothing more.
      await new Promise(() => undefined)
    }
    await refused({ fileName: 'a', body: body(), signal: gone.signal }, 'UPLOAD_INCOMPLETE', /ended after 1000 bytes/)
    await refused(
      { fileName: 'a', body: body(), signal: AbortSignal.abort() },
      'UPLOAD_INCOMPLETE',
      /ended after 0 bytes/,
    )
  })

  test('are limited, whether they say how long they are or not', async () => {
    async function* endless() {
      for (;;) yield await Promise.resolve(randomBytes(100_000))
    }
    await refused({ fileName: 'a', body: endless() }, 'LIMIT_EXCEEDED', /more than 1000000 bytes; at most 1000000/)
    await refused(
      { fileName: 'a', body: endless(), expectedBytes: 2_000_000 },
      'LIMIT_EXCEEDED',
      /2000000 bytes; at most 1000000/,
    )
    const crowded = { ...platform, limits: { ...platform.limits, spoolReserveBytes: 2 ** 60 } }
    await refused({ fileName: 'a', body: endless() }, 'LIMIT_EXCEEDED', /the spool folder has \d+ bytes free/, crowded)
  })

  test.each([
    ['', 'BAD_INPUT', /is empty/],
    ['a/..', 'BAD_INPUT', /is empty/],
    ['a\0b', 'BAD_INPUT', /control characters/],
    ['x'.repeat(256), 'BAD_INPUT', /more than 255/],
  ])('cannot be called %j', async (fileName, code, message) => {
    await refused({ fileName, body: inPieces(randomBytes(1)) }, code, message)
  })

  test('announce whole numbers and hashes', async () => {
    await refused(
      { fileName: 'a', body: inPieces(randomBytes(1)), expectedBytes: 0.5 },
      'BAD_INPUT',
      /0.5 is no length/,
    )
    await refused(
      { fileName: 'a', body: inPieces(randomBytes(1)), expectedBytes: NaN },
      'BAD_INPUT',
      /NaN is no length/,
    )
    await refused({ fileName: 'a', body: inPieces(randomBytes(1)), expectedSha256: 'abc' }, 'BAD_INPUT', /not 64 hex/)
  })

  test('are swept when their time is over, with what died half-way and what belongs to nobody', async () => {
    const old = await receiveUpload(platform, { fileName: 'old', body: inPieces(randomBytes(10)) })
    test_.forward(platform.limits.uploadLifetimeMs - 5000)
    const young = await receiveUpload(platform, { fileName: 'young', body: inPieces(randomBytes(10)) })
    const [orphan, fresh] = [randomUUID(), randomUUID()]
    await writeFile(join(platform.spoolDir, `${orphan}.part`), 'x')
    await utimes(join(platform.spoolDir, `${orphan}.part`), 1, 1)
    await writeFile(join(platform.spoolDir, fresh), 'x')
    const future = new Date(platform.clock().getTime())
    await utimes(join(platform.spoolDir, fresh), future, future)
    await writeFile(join(platform.spoolDir, 'README'), 'not ours')
    await utimes(join(platform.spoolDir, 'README'), 1, 1)
    // The server died while it received this one.
    const dead = await platform.store.prisma.upload.create({
      data: { fileName: 'dead', expiresAt: new Date(platform.clock().getTime() + 1000) },
    })
    await writeFile(join(platform.spoolDir, `${dead.id}.part`), 'x')

    expect(await sweepUploads(platform)).toMatchObject({ orphans: 1 })
    expect(await spool()).toEqual(expect.arrayContaining([old.id, young.id, `${dead.id}.part`, fresh, 'README']))
    test_.forward(10_000)
    expect((await sweepUploads(platform)).expired).toBeGreaterThanOrEqual(2)
    expect((await spool()).sort()).toEqual([young.id, fresh, 'README'].sort())
    expect(await platform.store.prisma.upload.findMany({ select: { id: true } })).toEqual([{ id: young.id }])
  })

  test('that are long on their way are not swept', async () => {
    async function* body() {
      for (let i = 0; i < 4; i++) {
        yield await Promise.resolve(randomBytes(10))
        test_.forward(platform.limits.uploadIdleMs * 0.9)
        yield randomBytes(10)
        expect(await sweepUploads(platform)).toMatchObject({ expired: 0 })
      }
    }
    await sweepUploads(platform)
    expect(await receiveUpload(platform, { fileName: 'slow', body: body() })).toMatchObject({
      bytes: 80n,
      status: 'COMPLETE',
    })
  })
})
