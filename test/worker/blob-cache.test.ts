import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { createHash, randomBytes } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { openBlobCache, type BlobCache } from '../../src/worker/blob-cache/blob-cache.ts'

const log = pino({ level: 'silent' })

/** A source that counts what is asked of it. */
function bytesByHash(...contents: Uint8Array[]) {
  const bytes = new Map(contents.map((content) => [createHash('sha256').update(content).digest('hex'), content]))
  const reads: string[] = []
  return {
    hashes: [...bytes.keys()],
    bytes,
    reads,
    size: (sha256: string) => Promise.resolve(bytes.get(sha256)!.byteLength),
    async *read(sha256: string) {
      reads.push(sha256)
      const content = bytes.get(sha256)!
      for (let at = 0; at < content.byteLength; at += 1000) yield await Promise.resolve(content.subarray(at, at + 1000))
    },
  }
}

const blobs = async (folder: string) =>
  (await readdir(join(folder, 'blobs'), { recursive: true })).filter((name) => name.includes('/'))

describe('openBlobCache', () => {
  let folder: string
  const opened: BlobCache[] = []
  const open = async (source: ReturnType<typeof bytesByHash>, maxBytes = 1e9) => {
    const cache = await openBlobCache({ folder, maxBytes, source, log })
    opened.push(cache)
    return cache
  }
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'blob-cache-'))
  })
  afterEach(async () => {
    for (const cache of opened.splice(0)) await cache[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  test('fetches a blob once, whoever asks', async () => {
    const source = bytesByHash(randomBytes(5000), new Uint8Array())
    const lease = (await open(source)).lease()
    const [first, again] = await Promise.all([lease.file(source.hashes[0]!), lease.file(source.hashes[0]!)])
    expect(again).toBe(first)
    expect(new Uint8Array(await readFile(first))).toEqual(new Uint8Array(source.bytes.get(source.hashes[0]!)!))
    expect((await readFile(await lease.file(source.hashes[1]!))).byteLength).toBe(0)
    await lease[Symbol.asyncDispose]()
    await (await open(source)).lease().file(source.hashes[0]!)
    expect(source.reads).toEqual(source.hashes)
    expect(await readdir(join(folder, 'partial'))).toEqual([])
  })

  test('a file can be read while it arrives, and is whole only when its hash was checked', async () => {
    const content = randomBytes(3000)
    const source = bytesByHash(content)
    let goOn = (): void => undefined
    const gate = new Promise<void>((resolve) => (goOn = resolve))
    const slow = {
      ...source,
      async *read() {
        yield content.subarray(0, 1000)
        await gate
        yield content.subarray(1000)
      },
    }
    const lease = (await open(slow)).lease()
    const file = await lease.arriving(source.hashes[0]!)
    expect(file.cached).toBe(false)
    await file.arrived(1000)
    expect((await readFile(file.path)).equals(content.subarray(0, 1000))).toBe(true)
    let whole = false
    const done = file.whole.then(() => (whole = true))
    const beyond = expect(file.arrived(3001)).rejects.toThrow('3000 bytes came, 3001 were expected')
    await new Promise(setImmediate)
    expect(whole).toBe(false)
    goOn()
    await Promise.all([done, beyond, file.arrived(3000)])
    expect(await lease.file(source.hashes[0]!)).toBe(file.path)
    expect((await (await open(source)).lease().arriving(source.hashes[0]!)).cached).toBe(true)
  })

  test('who reads bytes that turn out to be damaged is told so, and the next fetch starts anew', async () => {
    const source = bytesByHash(randomBytes(100))
    const wrong = 'ab'.repeat(32)
    source.bytes.set(wrong, randomBytes(100))
    const lease = (await open(source)).lease()
    const file = await lease.arriving(wrong)
    await expect(file.arrived(101)).rejects.toThrow(/has bytes with SHA-256/)
    await expect(file.whole).rejects.toThrow(/has bytes with SHA-256/)
    await expect(lease.file(wrong)).rejects.toThrow(/has bytes with SHA-256/)
    expect(source.reads).toEqual([wrong, wrong])
    expect(await blobs(folder)).toEqual([])
  })

  test('notices a file that was changed on disk, in this process and in the next', async () => {
    const source = bytesByHash(randomBytes(5000))
    const sha256 = source.hashes[0]!
    const cache = await open(source)
    const spoil = async () => {
      const path = join(folder, 'blobs', sha256.slice(0, 2), sha256)
      await chmod(path, 0o644)
      await writeFile(path, randomBytes(5000))
      // Also when the damage does not show in the times.
      const facts = await stat(path)
      return { path, facts }
    }
    const lease = cache.lease()
    await lease.file(sha256)
    await lease[Symbol.asyncDispose]()

    await spoil()
    const second = cache.lease()
    expect(new Uint8Array(await readFile(await second.file(sha256)))).toEqual(new Uint8Array(source.bytes.get(sha256)!))
    expect(source.reads).toHaveLength(2)
    await second[Symbol.asyncDispose]()

    const { path } = await spoil()
    await utimes(path, 1, 1)
    const third = (await open(source)).lease()
    expect(new Uint8Array(await readFile(await third.file(sha256)))).toEqual(new Uint8Array(source.bytes.get(sha256)!))
    expect(source.reads).toHaveLength(3)
  })

  test('refuses bytes of the source that have another hash', async () => {
    const source = bytesByHash(randomBytes(100))
    const wrong = 'ab'.repeat(32)
    source.bytes.set(wrong, randomBytes(100))
    await expect((await open(source)).lease().file(wrong)).rejects.toThrow(/has bytes with SHA-256/)
    expect(await blobs(folder)).toEqual([])
    expect(await readdir(join(folder, 'partial'))).toEqual([])
  })

  test('evicts what was used least recently, and never what is in use', async () => {
    const source = bytesByHash(...[0, 1, 2, 3].map(() => randomBytes(1000)))
    const [a, b, c, d] = source.hashes as [string, string, string, string]
    const cache = await open(source, 2500)
    const held = cache.lease()
    const passing = cache.lease()
    const heldPath = await held.file(a)
    await passing.file(b)
    await passing[Symbol.asyncDispose]()
    await utimes(join(folder, 'blobs', a.slice(0, 2), a), 1, 1)
    await held.file(c)
    expect((await blobs(folder)).map((name) => name.slice(3)).sort()).toEqual([a, c].sort())
    await held.file(d)
    expect((await blobs(folder)).map((name) => name.slice(3)).sort()).toEqual([a, c, d].sort())
    expect((await readFile(heldPath)).byteLength).toBe(1000)
  })

  test('a blob that another process evicts stays readable for who has it', async () => {
    const source = bytesByHash(randomBytes(1000))
    const lease = (await open(source)).lease()
    const path = await lease.file(source.hashes[0]!)
    await rm(join(folder, 'blobs'), { recursive: true })
    expect((await readFile(path)).byteLength).toBe(1000)
  })

  test('clears the leases of dead processes only', async () => {
    const source = bytesByHash(randomBytes(10))
    const uuid = '00000000-0000-4000-8000-000000000000'
    // Larger than any process id of Linux and macOS.
    const dead = `${hostname()}.2147483646.${uuid}`
    const alive = `${hostname()}.${process.pid}.${uuid}`
    const elsewhere = `other-host.1.${uuid}`
    for (const name of [dead, alive, elsewhere, 'somebody else’s'])
      await mkdir(join(folder, 'leases', name), { recursive: true })
    await open(source)
    expect(await readdir(join(folder, 'leases'))).toEqual(expect.arrayContaining([alive, elsewhere, 'somebody else’s']))
    expect(await readdir(join(folder, 'leases'))).not.toContain(dead)
    await utimes(join(folder, 'leases', elsewhere), 1, 1)
    await open(source)
    expect(await readdir(join(folder, 'leases'))).not.toContain(elsewhere)
  })
})
