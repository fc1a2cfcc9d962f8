import { readdirSync, readFileSync } from 'node:fs'
import { bytesSource, entryBytes, readZipDirectory } from '../../src/container/index.ts'
import { readPickles } from '../../src/checkpoint/torch-legacy/read-pickles.ts'
import type { EntrySpec } from '../container/build-zip.ts'
import { SIX_FLOATS, torchEntries } from '../checkpoint/build-checkpoint.ts'
import { pickle } from '../checkpoint/build-pickle.ts'
import { EVERYTHING } from './everything.ts'

/** A file of torch.save as its zip entries. */
export interface ZipSubject {
  readonly name: string
  readonly bytes: Buffer
  readonly entries: readonly EntrySpec[]
}
/** A file before 1.6: its pickles, and the storages behind them. */
export interface LegacySubject {
  readonly name: string
  readonly bytes: Buffer
  readonly pickles: readonly Buffer[]
  readonly rest: Buffer
}
export interface Subject {
  readonly name: string
  readonly bytes: Buffer
}

/** The files that are mutated: every checkpoint of test/fixtures, and one that holds something of everything. */
export interface Subjects {
  readonly zip: readonly ZipSubject[]
  readonly legacy: readonly LegacySubject[]
  readonly safetensors: readonly Subject[]
}

const FOLDER = new URL('../fixtures/', import.meta.url)
const CODES = { corrupt: 'CHECKPOINT_CORRUPT' } as const

export async function loadSubjects(): Promise<Subjects> {
  const zip: ZipSubject[] = []
  const legacy: LegacySubject[] = []
  const safetensors: Subject[] = []
  for (const name of checkpointFiles()) {
    const bytes = readFileSync(new URL(name, FOLDER))
    if (bytes.readUInt32LE(0) === 0x04034b50) zip.push({ name, bytes, entries: await entriesOf(name, bytes) })
    else if (bytes[0] === 0x80) legacy.push(await legacyOf(name, bytes))
    else if (name.endsWith('.safetensors')) safetensors.push({ name, bytes })
  }
  const entries = torchEntries(pickle(EVERYTHING), { 'data/0': SIX_FLOATS })
  return { zip: [...zip, { name: 'everything', bytes: Buffer.alloc(0), entries }], legacy, safetensors }
}

function checkpointFiles(): string[] {
  return readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(pth|bin|ckpt|safetensors)$/.test(name) && !name.startsWith('datasets'))
    .sort()
}

async function entriesOf(name: string, bytes: Buffer): Promise<EntrySpec[]> {
  const source = bytesSource(name, bytes)
  const entries: EntrySpec[] = []
  for (const entry of await readZipDirectory(source, CODES)) {
    const data = await entryBytes(source, entry, CODES)
    entries.push({ name: entry.name, data, descriptor: data.length > 0 })
  }
  return entries
}

async function legacyOf(name: string, bytes: Buffer): Promise<LegacySubject> {
  const pickles: Buffer[] = []
  let end = 0
  for (let count = 1; count <= 5; count++) {
    const whole = await readPickles(bytesSource(name, bytes), count, bytes.length)
    pickles.push(bytes.subarray(end, whole.length))
    end = whole.length
  }
  return { name, bytes, pickles, rest: bytes.subarray(end) }
}
