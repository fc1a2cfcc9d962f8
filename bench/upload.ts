// A file into the spool, hashed and flushed: PUT and tus against a bare node:http server that writes the same bytes to a file.
// `npm run bench:upload [MiB] [rounds]`
import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Upload } from 'tus-js-client'
import { client } from './platform/client.ts'
import { peakMemory, resetPeak } from './platform/memory.ts'
import { startPlatform } from './platform/start.ts'
import { printTable } from './table.ts'

const MIB = Number(process.argv[2] ?? 1024)
const ROUNDS = Number(process.argv[3] ?? 3)
const SIZE = MIB * 2 ** 20

const folder = await mkdtemp(join(tmpdir(), 'nograd-bench-upload-'))
try {
  const file = join(folder, 'file.bin')
  await writeRandom(file)
  const bare = fork(new URL('./bare-upload.mjs', import.meta.url), [join(folder, 'out')])
  const bareUrl = await new Promise<string>((resolve) => bare.once('message', (url) => resolve(url as string)))
  await using platform = await startPlatform({})
  const { pid } = platform
  const ways: readonly { readonly name: string; readonly pid: number; readonly send: () => Promise<void> }[] = [
    {
      name: 'bare http server, to a file',
      pid: bare.pid!,
      send: () => put(`${bareUrl}/x`, file).then(() => undefined),
    },
    { name: 'PUT /uploads', pid, send: async () => forget(platform.url, await put(`${platform.url}/uploads/x`, file)) },
    { name: 'tus, one request', pid, send: async () => forget(platform.url, await tus(platform.url, file, Infinity)) },
    {
      name: 'tus, 64 MiB requests',
      pid,
      send: async () => forget(platform.url, await tus(platform.url, file, 2 ** 26)),
    },
  ]
  const times = ways.map((): number[] => [])
  const peaks = ways.map(() => 0)
  for (let round = 0; round < ROUNDS; round++)
    // Taking turns: what else runs on the machine changes.
    for (const [index, way] of ways.entries()) {
      await resetPeak(way.pid)
      const begun = performance.now()
      await way.send()
      times[index]!.push(performance.now() - begun)
      peaks[index] = Math.max(peaks[index]!, await peakMemory(way.pid))
    }
  bare.kill()
  const speed = (index: number) => SIZE / 1000 / [...times[index]!].sort((a, b) => a - b)[times[index]!.length >> 1]!
  printTable(
    [`${MIB} MiB, median of ${ROUNDS}`, 'MB/s', '÷ bare', 'peak memory of the server'],
    ways.map(({ name }, index) => [
      name,
      speed(index).toFixed(0),
      (speed(index) / speed(0)).toFixed(2),
      `${(peaks[index]! / 2 ** 20).toFixed(0)} MiB`,
    ]),
  )
} finally {
  await rm(folder, { recursive: true, force: true })
}

async function writeRandom(path: string): Promise<void> {
  await using file = await open(path, 'w')
  const piece = randomBytes(2 ** 20)
  for (let at = 0; at < MIB; at++) {
    piece.writeUInt32LE(at)
    await file.write(piece)
  }
}

/** Sends a file as the body; the last part of what was answered as `uploadId`. */
function put(url: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const out = request(url, { method: 'PUT', agent: false, headers: { 'content-length': SIZE } }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece))
      response.on('end', () => {
        if (response.statusCode === 201) resolve((JSON.parse(text) as { uploadId: string }).uploadId)
        else reject(new Error(text))
      })
    })
    out.on('error', reject)
    createReadStream(path, { highWaterMark: 2 ** 20 }).pipe(out)
  })
}

function tus(url: string, path: string, chunkSize: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const upload: Upload = new Upload(createReadStream(path), {
      endpoint: `${url}/uploads`,
      metadata: { filename: 'x' },
      chunkSize,
      onError: reject,
      onSuccess: () => resolve(upload.url!.split('/').at(-1)!),
    })
    upload.start()
  })
}

/** Removes the upload, so that rounds do not fill the disk. */
async function forget(url: string, uploadId: string): Promise<void> {
  await client(url).query(
    'mutation ($input: DeleteUploadInput!) { deleteUpload(input: $input) { errors { message } } }',
    { input: { uploadId } },
  )
}
