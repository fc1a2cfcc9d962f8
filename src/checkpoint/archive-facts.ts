import { entryBytes, readZipDirectory, type ByteSource } from '../container/index.ts'
import { CHECKPOINT_CODES } from './checkpoint-codes.ts'
import { DEFAULT_CHECKPOINT_LIMITS, type CheckpointLimits } from './limits.ts'

/** What the small records of a torch zip say; null where there is no such record, or no zip. */
export interface ArchiveFacts {
  /** Of the file format, 1 to 10. */
  readonly version: string | null
  readonly byteOrder: string | null
}

/** The records and what they are called here, the first of equals first. */
const RECORDS = [
  ['version', 'version'],
  ['.data/version', 'version'],
  ['byteorder', 'byteOrder'],
] as const
/** A version is a few digits; `byteorder` is a word. */
const MAX_RECORD = 64

/** Reads them from a file that was recognised as a torch zip. */
export async function archiveFacts(
  source: ByteSource,
  limits: CheckpointLimits = DEFAULT_CHECKPOINT_LIMITS,
): Promise<ArchiveFacts> {
  const facts: { version: string | null; byteOrder: string | null } = { version: null, byteOrder: null }
  const options = { ...CHECKPOINT_CODES, limits: limits.zip }
  const entries = await readZipDirectory(source, options)
  for (const [record, name] of RECORDS) {
    const entry = entries.find((candidate) => candidate.name.slice(candidate.name.indexOf('/') + 1) === record)
    if (entry === undefined || entry.size > MAX_RECORD || facts[name] !== null) continue
    facts[name] = Buffer.from(await entryBytes(source, entry, options))
      .toString('latin1')
      .trim()
  }
  return facts
}
