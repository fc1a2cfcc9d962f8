import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createHash } from 'node:crypto'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { readCheckpoint } from '../../src/checkpoint/index.ts'
import { bytesSource } from '../../src/container/index.ts'
import { createModel, importCheckpoint } from '../../src/usecase/index.ts'
import { collect } from '../checkpoint/build-checkpoint.ts'
import { describeCheckpoint } from '../checkpoint/describe-tree.ts'
import { startTestApi, type TestApi } from './api/server.ts'
import { fixture, upload } from './usecase/test-platform.ts'
import { safetensorsFile } from './usecase/safetensors-file.ts'

let server: TestApi
const ids = new Map<string, string>()

/** A checkpoint of more than a hundred MiB, in storages of odd lengths, whose client will not read it. */
const BIG = 'big.safetensors'

beforeAll(async () => {
  server = await startTestApi()
  const { platform } = server
  const layers = await readFile(fixture('digits_cnn.layers.json'), 'utf8')
  const model = await createModel(platform, {
    name: 'digits',
    task: 'MULTICLASS',
    classes: Array.from({ length: 10 }, (_, i) => String(i)),
    architecture: { layers: JSON.parse(layers) as unknown },
  })
  const add = async (name: string, bytes?: Uint8Array) => {
    const uploadId = await upload(platform, name, bytes)
    const { id } = await importCheckpoint(platform, { modelId: model.id, uploadId, name })
    ids.set(name, `ckp_${id}`)
  }
  for (const name of ['digits_cnn.pth', 'digits_cnn_training_checkpoint.pth', 'digits_cnn_cuda0.pth']) await add(name)
  const large = Float32Array.from({ length: 30_000_001 }, (_, i) => i)
  await add(BIG, safetensorsFile({ large: { dtype: 'float32', shape: [large.length], data: large } }))
}, 120_000)
afterAll(async () => {
  await server[Symbol.asyncDispose]()
})

const urlOf = (name: string, query = ''): string => `${server.url}/checkpoints/${ids.get(name)!}/download${query}`

async function get(name: string, query = '', headers: Record<string, string> = {}): Promise<Response> {
  return fetch(urlOf(name, query), { headers })
}

async function bytesOf(response: Response): Promise<Buffer> {
  return Buffer.from(await response.arrayBuffer())
}

describe('GET /checkpoints/ID/download', () => {
  test('answers the whole file with its exact length, name and hash, and the same the next time', async () => {
    const response = await get('digits_cnn_training_checkpoint.pth')
    const bytes = await bytesOf(response)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-length')).toBe(String(bytes.length))
    expect(response.headers.get('accept-ranges')).toBe('bytes')
    expect(response.headers.get('content-disposition')).toContain('filename="digits_cnn_training_checkpoint.pth"')
    const sha256 = createHash('sha256').update(bytes).digest()
    expect(response.headers.get('x-content-sha256')).toBe(sha256.toString('hex'))
    expect(response.headers.get('repr-digest')).toBe(`sha-256=:${sha256.toString('base64')}:`)

    const original = await readCheckpoint(
      bytesSource('original', await readFile(fixture('digits_cnn_training_checkpoint.pth'))),
    )
    const written = await readCheckpoint(bytesSource('written', bytes))
    expect(await describeCheckpoint(written)).toEqual(await describeCheckpoint(original))
    for (const [index] of written.storages.entries()) await collect(written.readStorage(index))
    expect(written.warnings).toEqual([])

    const again = await get('digits_cnn_training_checkpoint.pth')
    expect(again.headers.get('etag')).toBe(response.headers.get('etag'))
    expect((await bytesOf(again)).equals(bytes)).toBe(true)
  })

  test('answers HEAD with the headers of GET', async () => {
    const head = await fetch(urlOf('digits_cnn.pth'), { method: 'HEAD' })
    const response = await get('digits_cnn.pth')
    const bytes = await bytesOf(response)
    for (const name of ['content-length', 'etag', 'x-content-sha256', 'content-disposition', 'content-type'])
      expect([name, head.headers.get(name)]).toEqual([name, response.headers.get(name)])
    expect(head.headers.get('content-length')).toBe(String(bytes.length))
  })

  test.each(['', '?format=safetensors', '?dtype=float16', '?content=state_dict&dtype=bfloat16&addPrefix=m.'])(
    'puts random ranges of %s together to the whole',
    async (query) => {
      const response = await get('digits_cnn.pth', query)
      const whole = await bytesOf(response)
      const etag = response.headers.get('etag')!
      const cuts = [0, 1, 7, 63, 64, whole.length - 22, whole.length - 1, whole.length]
      let state = 12345
      for (let i = 0; i < 40; i++) {
        state = (state * 1103515245 + 12345) % 2 ** 31
        cuts.push(state % whole.length)
      }
      cuts.sort((a, b) => a - b)
      const parts: Buffer[] = []
      for (const [i, start] of cuts.slice(0, -1).entries()) {
        const end = cuts[i + 1]!
        if (start === end) continue
        const part = await get('digits_cnn.pth', query, { range: `bytes=${start}-${end - 1}`, 'if-range': etag })
        expect(part.status).toBe(206)
        expect(part.headers.get('content-range')).toBe(`bytes ${start}-${end - 1}/${whole.length}`)
        expect(part.headers.get('content-length')).toBe(String(end - start))
        parts.push(await bytesOf(part))
      }
      expect(Buffer.concat(parts).equals(whole)).toBe(true)
    },
  )

  test('understands open and suffix ranges, and ignores those that are no single range', async () => {
    const whole = await bytesOf(await get('digits_cnn.pth'))
    expect(
      (await bytesOf(await get('digits_cnn.pth', '', { range: 'bytes=100000-' }))).equals(whole.subarray(100000)),
    ).toBe(true)
    expect((await bytesOf(await get('digits_cnn.pth', '', { range: 'bytes=-10' }))).equals(whole.subarray(-10))).toBe(
      true,
    )
    for (const range of ['bytes=0-1,5-6', 'lines=1-2', 'bytes=5-4', 'bytes=-'])
      expect((await get('digits_cnn.pth', '', { range })).status).toBe(200)
    expect((await get('digits_cnn.pth', '', { range: 'bytes=0-9', 'if-range': '"another"' })).status).toBe(200)
  })

  test('refuses a range behind the end, and says how long the file is', async () => {
    const response = await get('digits_cnn.pth', '', { range: 'bytes=99999999-' })
    expect(response.status).toBe(416)
    expect(response.headers.get('content-range')).toMatch(/^bytes \*\/\d+$/)
    expect(await response.json()).toMatchObject({ errors: [{ code: 'BAD_INPUT' }] })
  })

  test('answers 304 to who has the file, and 412 to who has another', async () => {
    const etag = (await get('digits_cnn.pth')).headers.get('etag')!
    expect((await get('digits_cnn.pth', '', { 'if-none-match': `"x", ${etag}` })).status).toBe(304)
    expect((await get('digits_cnn.pth', '', { 'if-match': '"x"' })).status).toBe(412)
  })

  test.each([
    ['?format=zip', 400, 'BAD_INPUT', /format is "zip"/],
    ['?format=safetensors&content=all', 400, 'BAD_INPUT', /nothing else/],
    ['?dtype=float8', 400, 'BAD_INPUT', /dtype is "float8"/],
    ['?colour=red', 400, 'BAD_INPUT', /no parameter "colour"/],
    ['?format=pth&format=pth', 400, 'BAD_INPUT', /given twice/],
    ['?renamePrefix=a', 400, 'BAD_INPUT', /FROM=TO/],
    [
      '?mapLocation=cpu:0',
      400,
      'DEVICE_UNAVAILABLE',
      /don't know how to restore data location .*\(tagged with cpu:0\)/,
    ],
    ['?mapLocation=cuda:x', 400, 'DEVICE_UNAVAILABLE', /Invalid device string: 'cuda:x'/],
    ['?renamePrefix=0.=1.', 400, 'BINDING_FAILED', /both "1\./],
  ])('refuses %s as JSON', async (query, status, code, message) => {
    const response = await get('digits_cnn.pth', query)
    expect(response.status).toBe(status)
    const { errors } = (await response.json()) as { errors: { code: string; message: string }[] }
    expect(errors[0]!.code).toBe(code)
    expect(errors[0]!.message).toMatch(message)
    expect(response.headers.get('content-disposition')).toBeNull()
  })

  test('knows no other checkpoint and no other method', async () => {
    expect((await fetch(`${server.url}/checkpoints/ckp_00000000-0000-7000-8000-000000000000/download`)).status).toBe(
      404,
    )
    expect((await fetch(`${server.url}/checkpoints/nonsense/download`)).status).toBe(404)
    expect((await fetch(urlOf('digits_cnn.pth'), { method: 'POST' })).status).toBe(405)
  })

  test('frees its connection to the database when the client goes away', async () => {
    for (let i = 0; i < 20; i++) {
      const cut = new AbortController()
      const response = await fetch(urlOf(BIG), { signal: cut.signal })
      await response.body!.getReader().read()
      cut.abort()
    }
    // More than there are connections: all of them are there again.
    const again = await Promise.all(Array.from({ length: 9 }, () => get('digits_cnn.pth').then(bytesOf)))
    expect(new Set(again.map(({ length }) => length)).size).toBe(1)
    expect(server.log.filter(({ level }) => level >= 50)).toEqual([])
  })

  test('reads no faster than the client', async () => {
    const before = process.memoryUsage().arrayBuffers
    const request = httpRequest(urlOf(BIG))
    request.end()
    const response = await new Promise<IncomingMessage>((resolve) => request.on('response', resolve))
    response.pause()
    await sleep(1_000)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 2 ** 20)
    request.destroy()
  })

  test('is what GraphQL says it is', async () => {
    const query = `query Q($id: ID!) { checkpoint(id: $id) { download(
      format: SAFETENSORS, dtype: BFLOAT16, mapLocation: { tags: [{ from: "cuda:0", to: "cpu" }] },
      keyMapping: { renamePrefixes: [{ from: "0.", to: "conv." }], addPrefix: "net." }
    ) { url fileName byteLength sha256 } } }`
    const answer = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables: { id: ids.get('digits_cnn_cuda0.pth') } }),
    })
    const { data } = (await answer.json()) as {
      data: { checkpoint: { download: { url: string; fileName: string; byteLength: number; sha256: string } } }
    }
    const { url, fileName, byteLength, sha256 } = data.checkpoint.download
    expect(fileName).toBe('digits_cnn_cuda0.safetensors')
    const bytes = await bytesOf(await fetch(server.url + url))
    expect(bytes.length).toBe(byteLength)
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256)
    const written = await readCheckpoint(bytesSource(fileName, bytes))
    expect(written.storages.map(({ key }) => key)).toContain('net.conv.weight')
    expect(written.tensors.every(({ dtype }) => dtype === 'bfloat16' || dtype === 'int64')).toBe(true)
  })
})
