// MB/s of the import of a 1 GiB checkpoint, from the complete upload to the committed rows, and of its export, each against a bare COPY
// of the same bytes in the same call; of a fine-tune that shares 90 % of its tensors; and of torch.load and torch.save of the same file.
// `npm run bench:checkpoint-io [-- ROUNDS [MIB]]`
import { execFile } from 'node:child_process'
import { createHash, randomFillSync, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, mkdtemp, open, rename, rm, stat } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { from, to } from 'pg-copy-streams'
import { once } from 'node:events'
import { pino } from 'pino'
import { startEmbeddedPostgres } from '../src/store/embedded/index.ts'
import { migrate, openStore } from '../src/store/index.ts'
import {
  createModel,
  DEFAULT_PLATFORM_LIMITS,
  importCheckpoint,
  openDownload,
  type Platform,
} from '../src/usecase/index.ts'
import { writeSafetensors } from './model/safetensors.ts'
import { writeTorchZip } from './model/torch-zip.ts'
import { peakMemory, resetPeak } from './platform/memory.ts'
import { printTable } from './table.ts'

const ROUNDS = Number(process.argv[2] ?? 3)
const MIB = Number(process.argv[3] ?? 1024)
/** Float32 elements of the tensors of one block of about 52 MiB: some large, more small, as in a transformer. */
const BLOCK = [2 ** 23, 2 ** 21, 2 ** 21, ...Array<number>(4).fill(2 ** 18), ...Array<number>(8).fill(2 ** 11)]
const BLOCKS = Math.max(10, Math.round((MIB * 2 ** 20) / (4 * BLOCK.reduce((a, b) => a + b))))
const PIECE = 2 ** 20

const FORMATS = {
  safetensors: (path: string, tensors: readonly Tensor[]) =>
    writeSafetensors(
      path,
      tensors.map(({ name, elements, pieces }) => ({ name, dtype: 'F32', shape: [elements], pieces })),
    ),
  pth: writeTorchZip,
} as const

interface Tensor {
  readonly name: string
  readonly elements: number
  readonly pieces: () => Iterable<Uint8Array>
}

/** A checkpoint; tensors of the last tenth of the blocks depend on `tuned` as well. */
function tensors(seed: string, tuned: string): Tensor[] {
  return Array.from({ length: BLOCKS }, (_block, block) =>
    BLOCK.map((elements, index) => {
      const name = `block${block}.${index}.weight`
      const text = `${seed} ${name} ${block >= BLOCKS * 0.9 ? tuned : ''}`
      return { name, elements, pieces: () => pieces(text, elements * 4) }
    }),
  ).flat()
}

const noise = randomFillSync(Buffer.alloc(PIECE))
/** The same noise, marked in each 4 KiB by what it belongs to. */
function* pieces(text: string, length: number): Generator<Uint8Array> {
  const mark = createHash('sha256').update(text).digest()
  for (let at = 0; at < length; at += PIECE) {
    for (let page = 0; page < PIECE; page += 4096) mark.copy(noise, page)
    noise.writeUInt32LE(at / PIECE, 32)
    yield noise.subarray(0, Math.min(PIECE, length - at))
  }
}

const folder = await mkdtemp(join(tmpdir(), 'nograd-bench-import-'))
try {
  const log = pino({ level: 'warn' })
  await using postgres = await startEmbeddedPostgres({ dataDir: folder, log })
  await migrate(postgres.url, log)
  await using store = await openStore({ databaseUrl: postgres.url, log })
  const spoolDir = join(folder, 'spool')
  await mkdir(spoolDir)
  const platform: Platform = {
    ...{ store, spoolDir, log, clock: () => new Date(), limits: DEFAULT_PLATFORM_LIMITS },
    programs: new URL('../dist/', import.meta.url),
  }
  const layers = { layers: [{ type: 'Linear', in_features: 4, out_features: 2 }], input: [4] }
  const { id: modelId } = await createModel(platform, { name: 'bench', task: 'MULTICLASS', architecture: { layers } })

  const rows: string[][] = []
  let torch: TorchPeer | null | undefined
  for (const format of Object.keys(FORMATS) as (keyof typeof FORMATS)[]) {
    const copies: number[] = []
    const firsts: number[] = []
    const tunes: number[] = []
    const loads: number[] = []
    const exports: number[] = []
    const bareExports: number[] = []
    let bytes = 0
    let newShare = 0
    let peak = 0
    let before = 0
    for (let round = 0; round < ROUNDS; round++) {
      const seed = `${format} ${round}`
      const first = await spool(platform, format, tensors(seed, ''))
      bytes = first.bytes
      copies.push(await bareCopy(postgres.url, join(spoolDir, first.id)))
      if (format === 'pth') torch ??= await torchPeer(join(spoolDir, first.id))
      await resetPeak(process.pid)
      before = Math.max(before, await peakMemory(process.pid))
      const load = process.cpuUsage()
      let checkpointId = ''
      firsts.push(
        await timed(async () => {
          const row = await importCheckpoint(platform, { modelId, uploadId: first.id, name: `${seed} first` })
          checkpointId = row.id
        }),
      )
      const { user, system } = process.cpuUsage(load)
      loads.push((user + system) / 1e6)
      bareExports.push(await bareCopyOut(postgres.url))
      exports.push(await timed(() => exportAll(platform, checkpointId)))
      const tuned = await spool(platform, format, tensors(seed, 'tuned'))
      const storedBefore = await storedBytes(platform)
      tunes.push(await timed(() => importCheckpoint(platform, { modelId, uploadId: tuned.id, name: `${seed} tuned` })))
      newShare = ((await storedBytes(platform)) - storedBefore) / bytes
      peak = Math.max(peak, await peakMemory(process.pid))
      await empty(postgres.url)
    }
    const copy = median(copies)
    const import_ = median(firsts)
    const tune = median(tunes)
    const speed = (seconds: number) => (bytes / 1e6 / seconds).toFixed(0)
    rows.push([
      format,
      (bytes / 2 ** 20).toFixed(0),
      speed(copy),
      speed(import_),
      (copy / import_).toFixed(2),
      median(loads).toFixed(1),
      speed(tune),
      `${(import_ / tune).toFixed(1)}×`,
      `${(newShare * 100).toFixed(1)} %`,
      speed(median(bareExports)),
      speed(median(exports)),
      (median(bareExports) / median(exports)).toFixed(2),
      `${(peak / 2 ** 20).toFixed(0)} (${(before / 2 ** 20).toFixed(0)})`,
    ])
  }
  printTable(
    [
      'file',
      'MiB',
      'bare COPY MB/s',
      'first import MB/s',
      'ratio',
      'own CPU s',
      'fine-tune MB/s',
      'faster',
      'new bytes',
      'bare COPY out MB/s',
      'export MB/s',
      'ratio',
      'peak MiB',
    ],
    rows,
  )
  process.stdout.write(
    `Median of ${ROUNDS} rounds, taken in turns; ${availableParallelism()} cores, the server among them. The bare COPY reads the same file and ` +
      'sends it as rows of 1 MiB into the same table, without hashing anything. Peak: resident memory of this process, and what it was before the import.\n',
  )
  process.stdout.write(
    torch
      ? `PyTorch ${torch.torch}, the same .pth: torch.load(weights_only=True) ${torch.load.toFixed(2)} s, torch.save ${torch.save.toFixed(2)} s.\n`
      : 'No Python with PyTorch was found: `pip install torch`, and name it with NOGRAD_PYTHON, to see torch.load and torch.save beside it.\n',
  )
} finally {
  await rm(folder, { recursive: true, force: true })
}

interface TorchPeer {
  readonly torch: string
  readonly load: number
  readonly save: number
}

/** Null where no Python has PyTorch. */
async function torchPeer(path: string): Promise<TorchPeer | null> {
  const python = process.env['NOGRAD_PYTHON'] ?? 'python3'
  try {
    const { stdout } = await promisify(execFile)(python, [new URL('torch_io.py', import.meta.url).pathname, path])
    return JSON.parse(stdout) as TorchPeer
  } catch {
    return null
  }
}

/** Streams the whole of a checkpoint’s file, as a download does. */
async function exportAll(platform: Platform, checkpointId: string): Promise<void> {
  const download = await openDownload(platform, checkpointId, {})
  let bytes = 0
  for await (const piece of download.read(0, download.byteLength)) bytes += piece.length
  if (bytes !== download.byteLength) throw new Error(`${bytes} bytes came, ${download.byteLength} were expected`)
}

/** Seconds that the server takes to send all chunks. */
async function bareCopyOut(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const sql = 'copy (select bytes from "StorageChunk" order by "contentId", "index") to stdout (format binary)'
  const seconds = await timed(async () => {
    let bytes = 0
    for await (const piece of client.query(to(sql))) bytes += (piece as Buffer).length
    if (bytes === 0) throw new Error('no bytes came')
  })
  await client.end()
  return seconds
}

/** A complete upload, as if it had been received. */
async function spool({ store, spoolDir }: Platform, format: keyof typeof FORMATS, of: readonly Tensor[]) {
  const path = join(spoolDir, 'writing')
  await FORMATS[format](path, of)
  // As a complete upload is: what the disk still has to write would be measured with the import.
  await using file = await open(path, 'r+')
  await file.sync()
  const hash = createHash('sha256')
  for await (const piece of createReadStream(path, { highWaterMark: PIECE })) hash.update(piece as Buffer)
  const { size } = await stat(path)
  const { id } = await store.prisma.upload.create({
    data: {
      ...{ fileName: `bench.${format}`, status: 'COMPLETE', bytes: size, sha256: hash.digest('hex') },
      expiresAt: new Date(Date.now() + 3600_000),
    },
  })
  await rename(path, join(spoolDir, id))
  return { id, bytes: size }
}

/** Seconds that the server takes for the bytes of a file alone. */
async function bareCopy(url: string, path: string): Promise<number> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const sha256 = createHash('sha256').update(randomUUID()).digest('hex')
  const contentId = randomUUID()
  const { size } = await stat(path)
  const seconds = await timed(async () => {
    await client.query('begin')
    await client.query('insert into "Storage" (sha256, "byteLength", "contentId") values ($1, $2, $3)', [
      ...[sha256, size, contentId],
    ])
    const copy = client.query(from('copy "StorageChunk" ("contentId", "index", "bytes") from stdin (format binary)'))
    copy.write(Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1'))
    let index = 0
    for await (const piece of createReadStream(path, { highWaterMark: PIECE })) {
      const prefix = Buffer.alloc(34)
      prefix.writeInt16BE(3, 0)
      prefix.writeInt32BE(16, 2)
      prefix.write(contentId.replaceAll('-', ''), 6, 'hex')
      prefix.writeInt32BE(4, 22)
      prefix.writeInt32BE(index++, 26)
      prefix.writeInt32BE((piece as Buffer).length, 30)
      copy.write(prefix)
      if (!copy.write(piece)) await once(copy, 'drain')
    }
    const finished = once(copy, 'finish')
    copy.end(Buffer.from([0xff, 0xff]))
    await finished
    await client.query('commit')
  })
  await client.query('delete from "Storage" where sha256 = $1', [sha256])
  await settle(client)
  await client.end()
  return seconds
}

/** Removes what a round left. */
async function empty(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query('truncate "Checkpoint", "Storage" cascade')
  await settle(client)
  await client.end()
}

/** So that no measurement pays for the one before it. */
async function settle(client: pg.Client): Promise<void> {
  await client.query('vacuum "StorageChunk"')
  await client.query('checkpoint')
}

async function storedBytes({ store }: Platform): Promise<number> {
  return Number((await store.prisma.storage.aggregate({ _sum: { byteLength: true } }))._sum.byteLength)
}

async function timed(action: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await action()
  return (performance.now() - begun) / 1000
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!
}
