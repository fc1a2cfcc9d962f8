import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startApi, type Api } from '../../src/api/index.ts'
import { send } from './api/client.ts'
import { startTestApi, type TestApi } from './api/server.ts'
import { createTus, offsetOf, patch, tus } from './api/tus.ts'

const MiB = 2 ** 20
const folder = mkdtempSync(join(tmpdir(), 'nograd-disk-'))

/** A disk of 12 MiB, where this user may mount one. */
function mount(): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=12m,mode=0700', 'nograd-test', folder], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
const isMounted = process.platform === 'linux' && mount()

describe('a spool on a disk that is full', () => {
  let server: TestApi
  let api: Api
  beforeAll(async () => {
    server = await startTestApi()
    const { limits } = server.platform
    const platform = { ...server.platform, spoolDir: folder, limits: { ...limits, spoolReserveBytes: 0 } }
    api = await startApi({ platform, host: '127.0.0.1', port: 0, development: false })
  })
  afterAll(async () => {
    await api[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
    if (isMounted) execFileSync('umount', [folder])
    rmSync(folder, { recursive: true, force: true })
  })
  const whereMounted = isMounted ? test : test.skip
  const filler = join(folder, 'filler')
  const error = (text: string) => (JSON.parse(text) as { errors: { code: string; message: string }[] }).errors[0]!
  const uploads = async () => (await readdir(folder)).filter((name) => !['filler', 'spool.json'].includes(name))

  whereMounted('what cannot fit is refused before it comes', async () => {
    const body = Buffer.alloc(13 * MiB)
    const answer = await send(`${api.url}/uploads/large`, { method: 'PUT', body })
    expect([answer.status, error(answer.text)]).toEqual([
      413,
      { code: 'LIMIT_EXCEEDED', message: expect.stringContaining('bytes free'), extensions: expect.anything() },
    ])
    // What others were promised is not promised again.
    const promised = await createTus(api.url, 8 * MiB)
    const second = await send(`${api.url}/uploads/second`, { method: 'PUT', body: Buffer.alloc(6 * MiB) })
    expect([second.status, error(second.text).message]).toEqual([413, expect.stringContaining('are promised to')])
    await tus('DELETE', promised)
    expect(await uploads()).toEqual([])
  })

  whereMounted('a PUT that fills it leaves nothing', async () => {
    await writeFile(filler, Buffer.alloc(4 * MiB))
    // Its length is not announced, and what it reserves grows in steps, so another writer can be faster.
    const { limits } = server.platform
    const blind = { ...server.platform, spoolDir: folder, limits: { ...limits, spoolReserveBytes: -64 * MiB } }
    await using other = await startApi({ platform: blind, host: '127.0.0.1', port: 0, development: false })
    const answer = await send(`${other.url}/uploads/a`, { method: 'PUT', body: Buffer.alloc(10 * MiB) })
    expect([answer.status, error(answer.text)]).toMatchObject([
      413,
      { code: 'LIMIT_EXCEEDED', message: expect.stringContaining('the disk of the spool folder is full') },
    ])
    expect(await uploads()).toEqual([])
    expect(await server.store.prisma.upload.count()).toBe(0)
    await rm(filler)
  })

  whereMounted('a tus upload that fills it is refused, keeps what fitted, and goes on when there is room', async () => {
    const bytes = randomBytes(8 * MiB)
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    const address = await createTus(api.url, bytes.length, 'a', sha256)
    await writeFile(filler, Buffer.alloc(6 * MiB))
    const answer = await patch(address, 0, bytes)
    expect([answer.status, error(answer.text)]).toMatchObject([
      413,
      { code: 'LIMIT_EXCEEDED', message: expect.stringContaining('the disk of the spool folder is full') },
    ])
    const offset = offsetOf((await tus('HEAD', address)).headers)
    expect(offset).toBeGreaterThan(4 * MiB)
    expect(offset).toBeLessThan(8 * MiB)
    await rm(filler)
    expect((await patch(address, offset, bytes.subarray(offset))).status).toBe(204)
    const row = await server.store.prisma.upload.findFirst()
    expect(row).toMatchObject({ status: 'COMPLETE', sha256 })
    await tus('DELETE', address)
  })
})
