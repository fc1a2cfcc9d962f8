import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openStore } from '../../../src/store/index.ts'
import {
  DEFAULT_PLATFORM_LIMITS,
  receiveUpload,
  type Platform,
  type PlatformLimits,
} from '../../../src/usecase/index.ts'
import { compiled } from '../../compiled.ts'
import { silent, startTestDatabase } from '../database.ts'

/** A file of test/fixtures. */
export const fixture = (name: string): string => fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url))

/** A platform on a database and in a folder of its own. */
export interface TestPlatform extends AsyncDisposable {
  readonly platform: Platform
  readonly folder: string
  readonly databaseUrl: string
  /** Moves the platform's clock. */
  forward(milliseconds: number): void
}

export async function openTestPlatform(limits: Partial<PlatformLimits> = {}): Promise<TestPlatform> {
  const database = await startTestDatabase()
  const store = await openStore({ databaseUrl: database.url, log: silent })
  const folder = await mkdtemp(join(tmpdir(), 'nograd-platform-'))
  let ahead = 0
  return {
    platform: {
      store,
      spoolDir: join(folder, 'spool'),
      log: silent,
      clock: () => new Date(Date.now() + ahead),
      programs: compiled(''),
      limits: { ...DEFAULT_PLATFORM_LIMITS, ...limits },
    },
    folder,
    databaseUrl: database.url,
    forward(milliseconds) {
      ahead += milliseconds
    },
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]()
      await database[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Bytes in pieces, as a request brings them. */
export async function* inPieces(bytes: Uint8Array, size = 65_536): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield await Promise.resolve(bytes.subarray(at, at + size))
}

/** Uploads bytes, or a fixture by its name; returns the upload's id. */
export async function upload(platform: Platform, name: string, bytes?: Uint8Array | string): Promise<string> {
  const content =
    typeof bytes === 'string' ? new TextEncoder().encode(bytes) : (bytes ?? (await readFile(fixture(name))))
  return (await receiveUpload(platform, { fileName: name, body: inPieces(content) })).id
}

/** How many rows each table has that holds what a user brought. */
export async function countRows({ store: { prisma } }: Platform): Promise<Record<string, number>> {
  return {
    architectures: await prisma.architecture.count(),
    models: await prisma.model.count(),
    checkpoints: await prisma.checkpoint.count(),
    checkpointStorages: await prisma.checkpointStorage.count(),
    tensors: await prisma.tensor.count(),
    entries: await prisma.stateDictEntry.count(),
    datasets: await prisma.dataset.count(),
    columns: await prisma.datasetColumn.count(),
    runs: await prisma.run.count(),
    shards: await prisma.shard.count(),
    events: await prisma.runEvent.count(),
  }
}
