import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, open, rm, type FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runningHash, runningHashes } from '../../src/usecase/running-hash.ts'

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

describe('a running hash', () => {
  let folder: string
  let file: FileHandle
  let bytesRead: number
  /** The file, and how much of it is read. */
  let counted: FileHandle
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nograd-hash-'))
    file = await open(join(folder, 'f'), 'wx+')
    bytesRead = 0
    counted = new Proxy(file, {
      get: (target, name) =>
        name === 'read'
          ? async (...args: [Buffer, number, number, number]) => {
              const result = await target.read(...args)
              bytesRead += result.bytesRead
              return result
            }
          : (Reflect.get(target, name) as unknown),
    })
  })
  afterEach(async () => {
    await file.close()
    await rm(folder, { recursive: true })
  })

  test('of bytes that come in order reads nothing', async () => {
    const bytes = randomBytes(300_000)
    const hash = runningHash()
    for (let at = 0; at < bytes.length; at += 1000) expect(hash.add(at, bytes.subarray(at, at + 1000))).toBe(true)
    await file.write(bytes)
    expect(await hash.digest(counted, bytes.length)).toBe(sha256(bytes))
    expect(bytesRead).toBe(0)
  })

  test('that comes late reads what it missed once, beside what arrives', async () => {
    const bytes = randomBytes(12_000_000)
    const prefix = 8_000_000
    await file.write(bytes, 0, prefix, 0)
    const hash = runningHash()
    await hash.follow(counted, prefix)
    let missed = 0
    for (let at = prefix; at < bytes.length; at += 1_000) {
      const piece = bytes.subarray(at, at + 1_000)
      const isHashed = hash.add(at, piece)
      await file.write(piece, 0, piece.length, at)
      if (isHashed) continue
      await hash.follow(counted, at + piece.length)
      missed += piece.length
    }
    expect(await hash.digest(counted, bytes.length)).toBe(sha256(bytes))
    expect(bytesRead).toBe(prefix + missed)
    expect(missed).toBeLessThan(bytes.length - prefix)
  })

  test('can pause, and go on with another handle', async () => {
    const bytes = randomBytes(20_000_000)
    await file.write(bytes)
    const hash = runningHash()
    await hash.follow(counted, bytes.length)
    await hash.pause()
    const before = hash.position()
    expect(before).toBe(bytesRead)
    expect(before).toBeLessThan(bytes.length)
    expect(await hash.digest(counted, bytes.length)).toBe(sha256(bytes))
    expect(bytesRead).toBe(bytes.length)
  })

  test('of a file that lost its end fails', async () => {
    await file.write(randomBytes(100))
    await expect(runningHash().digest(file, 101)).rejects.toThrow('the file ends at byte 100, 101 were written')
  })

  test('is remembered between requests, unless it is ahead of the file, or too many are', () => {
    const hashes = runningHashes(2)
    const hash = runningHash()
    hash.add(0, Buffer.alloc(10))
    hashes.keep('a', hash)
    expect(hashes.take('a', 10)).toBe(hash)
    expect(hashes.take('a', 10)).not.toBe(hash)
    hashes.keep('a', hash)
    expect(hashes.take('a', 9)).not.toBe(hash)
    hashes.keep('a', hash)
    hashes.keep('b', runningHash())
    hashes.keep('c', runningHash())
    expect(hashes.take('a', 10)).not.toBe(hash)
  })
})
