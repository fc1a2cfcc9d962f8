import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { readFile, readdir, truncate, writeFile } from 'node:fs/promises'
import { connect, createServer, type AddressInfo, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { downloadFile, type DownloadRequest } from '../../src/cli/download-file.ts'
import { createModel, importCheckpoint } from '../../src/usecase/index.ts'
import { startTestApi, type TestApi } from './api/server.ts'
import { nograd } from './cli/nograd.ts'
import { safetensorsFile } from './usecase/safetensors-file.ts'
import { fixture, upload } from './usecase/test-platform.ts'

let server: TestApi
let folder: string
let id: string
let whole: Buffer

const NAME = 'big.safetensors'

beforeAll(async () => {
  server = await startTestApi()
  folder = mkdtempSync(join(tmpdir(), 'nograd-cli-download-'))
  const { platform } = server
  const layers = JSON.parse(await readFile(fixture('digits_cnn.layers.json'), 'utf8')) as unknown
  const model = await createModel(platform, { name: 'm', task: 'MULTICLASS', classes: null, architecture: { layers } })
  const large = Float32Array.from({ length: 2_000_000 }, (_, i) => i)
  const bytes = safetensorsFile({ large: { dtype: 'float32', shape: [large.length], data: large } })
  const uploadId = await upload(platform, NAME, bytes)
  id = `ckp_${(await importCheckpoint(platform, { modelId: model.id, uploadId, name: 'best' })).id}`
  whole = Buffer.from(await (await fetch(`${server.url}/checkpoints/${id}/download`)).arrayBuffer())
}, 120_000)
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const never = new AbortController().signal
const request = (path: string, url = server.url): DownloadRequest => ({
  url: `${url}/checkpoints/${id}/download`,
  path: join(folder, path),
  byteLength: whole.length,
  sha256: () => Promise.resolve(sha256(whole)),
})

/** Passes connections on, and breaks each after some bytes. */
async function breakingProxy(bytes: number): Promise<Server & { readonly url: string; broken: number }> {
  const target = new URL(server.url)
  const proxy = Object.assign(
    createServer((client) => {
      const upstream = connect(Number(target.port), target.hostname)
      let passed = 0
      client.on('error', () => undefined)
      upstream.on('error', () => undefined)
      client.pipe(upstream)
      upstream.on('data', (piece) => {
        passed += piece.length
        client.write(piece)
        if (passed < bytes) return
        proxy.broken++
        client.destroy()
        upstream.destroy()
      })
      upstream.on('end', () => client.end())
    }),
    { broken: 0, url: '' },
  )
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  proxy.url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
  return proxy
}

describe('a download', () => {
  test('goes on where the connection broke, as often as it breaks', async () => {
    const proxy = await breakingProxy(3_000_000)
    try {
      const received = await downloadFile(request('broken.bin', proxy.url), () => undefined, never)
      expect(received).toMatchObject({ sha256: sha256(whole), bytes: whole.length })
      expect(proxy.broken).toBeGreaterThan(1)
      expect((await readFile(join(folder, 'broken.bin'))).equals(whole)).toBe(true)
    } finally {
      proxy.close()
    }
  }, 60_000)

  test('that was stopped is taken up by the next one', async () => {
    const stop = new AbortController()
    const path = request('stopped.bin')
    const stopLate = (now: number): void => {
      if (now > 1_000_000) stop.abort(new Error('stopped'))
    }
    await expect(downloadFile(path, stopLate, stop.signal)).rejects.toThrow()
    const received = await downloadFile(path, () => undefined, never)
    expect(received.resumedAt).toBeGreaterThan(0)
    expect((await readFile(join(folder, 'stopped.bin'))).equals(whole)).toBe(true)
    expect((await readdir(folder)).filter((name) => name.startsWith('stopped'))).toEqual(['stopped.bin'])
  }, 60_000)

  test('begins again when the file is another one now, and refuses bytes with another hash', async () => {
    const path = request('other.bin')
    await writeFile(`${path.path}.part`, whole.subarray(0, 1000))
    await writeFile(`${path.path}.part.etag`, '"of another file"')
    expect((await downloadFile(path, () => undefined, never)).bytes).toBe(whole.length)

    const damaged = request('damaged.bin')
    const { headers } = await fetch(damaged.url, { method: 'HEAD' })
    await writeFile(`${damaged.path}.part`, new Uint8Array(1000))
    await writeFile(`${damaged.path}.part.etag`, headers.get('etag')!)
    await expect(downloadFile(damaged, () => undefined, never)).rejects.toMatchObject({ code: 'UPLOAD_INCOMPLETE' })
    expect((await readdir(folder)).filter((name) => name.startsWith('damaged'))).toEqual([])
  }, 60_000)
})

describe('nograd download and convert', () => {
  test('write files, by names too, and replace none unless told so', async () => {
    const output = join(folder, 'half.pth')
    const args = ['download', '--url', server.url, '--model', 'm', '--checkpoint', 'best', '--output', output]
    const first = await nograd([...args, '--format', 'pth', '--dtype', 'float16', '--json'])
    expect(first).toMatchObject({ code: 0, stderr: '' })
    const bytes = await readFile(output)
    expect(JSON.parse(first.stdout)).toMatchObject({
      checkpoint: id,
      file: output,
      bytes: bytes.length,
      sha256: sha256(bytes),
    })
    const second = await nograd([...args, '--json'])
    expect(second.code).toBe(2)
    expect(second.stderr).toMatch(/is there already/)
    const third = await nograd([...args, '--force', '--rename-prefix', 'lar=smal'])
    expect(third.code).toBe(0)
    expect((await readFile(output)).includes('"smalge"')).toBe(true)

    const converted = join(folder, 'back.safetensors')
    const offline = await nograd(['convert', output, '--output', converted, '--rename-prefix', 'smal=lar', '--json'])
    expect(offline).toMatchObject({ code: 0, stderr: '' })
    await truncate(converted, 10)
    expect((await nograd(['convert', converted, '--output', join(folder, 'x.pth')])).stderr).toMatch(
      /CHECKPOINT_CORRUPT/,
    )
  }, 240_000)

  test('say what is wrong', async () => {
    const missing = await nograd(['download', '--url', server.url, '--model', 'm', '--checkpoint', 'nothing'])
    expect(missing).toMatchObject({ code: 1 })
    expect(missing.stderr).toMatch(/no checkpoint called "nothing" \[NOT_FOUND\]/)
    expect((await nograd(['download', '--url', server.url])).code).toBe(2)
    const wrong = await nograd(['download', id, '--url', server.url, '--map-location', 'cpu:0', '--json'])
    expect(JSON.parse(wrong.stderr)).toMatchObject({ error: { code: 'DEVICE_UNAVAILABLE' } })
  }, 240_000)
})
