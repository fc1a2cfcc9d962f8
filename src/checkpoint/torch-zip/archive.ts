import { entryBytes, quoted, type ByteSource, type ZipEntry } from '../../container/index.ts'
import { AppError } from '../../error.ts'
import { CHECKPOINT_CODES } from '../checkpoint-codes.ts'
import type { CheckpointLimits } from '../limits.ts'
import { refuseOtherZip } from './other-zip.ts'

/** The zip file of torch.save, its root folder found and its small records read. */
export interface TorchArchive {
  readonly source: ByteSource
  readonly limits: CheckpointLimits
  /** Records by their names inside the root: `data.pkl`, `data/0`. */
  readonly records: ReadonlyMap<string, ZipEntry>
  readonly bigEndian: boolean
  /** Grows while records are read. */
  readonly warnings: string[]
}

/** A version is a few digits; `byteorder` is a word. */
const MAX_SMALL_RECORD = 64
/** caffe2/serialize/versions.h: kMinSupportedFileFormatVersion to kMaxSupportedFileFormatVersion. */
const MAX_VERSION = 10

/**
 * Opens the archive as PyTorch does: the root is what stands before the first slash of the first entry, every entry shares
 * it, `version` is there, names are unique also without regard to case.
 */
export async function openArchive(
  source: ByteSource,
  entries: readonly ZipEntry[],
  limits: CheckpointLimits,
): Promise<TorchArchive> {
  refuseOtherZip(source.name, entries)
  const records = recordsOf(source.name, entries)
  const warnings: string[] = []
  const archive = { source, limits, records, warnings }
  await checkVersion(archive)
  const bigEndian = await readByteOrder(archive)
  if (bigEndian)
    warnings.push(`${source.name}: saved on a big-endian machine; its numbers are swapped while they are read`)
  return { ...archive, bigEndian }
}

/** The whole of a record that is held in memory. */
export function recordBytes(archive: Omit<TorchArchive, 'bigEndian'>, entry: ZipEntry): Promise<Uint8Array> {
  return entryBytes(archive.source, entry, {
    ...CHECKPOINT_CODES,
    limits: archive.limits.zip,
    onCrcMismatch: (message) => archive.warnings.push(message),
  })
}

function recordsOf(fileName: string, entries: readonly ZipEntry[]): ReadonlyMap<string, ZipEntry> {
  const root = entries[0]!.name.split('/', 1)[0]!
  const records = new Map<string, ZipEntry>()
  const lowerCase = new Set<string>()
  for (const entry of entries) {
    if (!entry.name.startsWith(`${root}/`))
      throw new AppError(
        'CHECKPOINT_CORRUPT',
        `${fileName}: the zip entry ${quoted(entry.name)} is outside of its root folder ${quoted(root)}, and torch.load refuses ` +
          `such a file too. It was changed after torch.save (zip tools add folders such as __MACOSX): remove the entry, or save again.`,
      )
    records.set(entry.name.slice(root.length + 1), entry)
  }
  // PyTorch looks names up without regard to case, so it may find the other one of the two.
  for (const name of records.keys()) {
    const folded = name.toLowerCase()
    if (folded === name) continue
    if (records.has(folded) || lowerCase.has(folded))
      throw new AppError('CHECKPOINT_CORRUPT', `${fileName}: two zip entries are named ${quoted(folded)}, but for case`)
    lowerCase.add(folded)
  }
  return records
}

async function checkVersion(archive: Omit<TorchArchive, 'bigEndian'>): Promise<void> {
  const { name } = archive.source
  const text = (await smallRecord(archive, 'version')) ?? (await smallRecord(archive, '.data/version'))
  if (text === undefined)
    throw new AppError(
      'CHECKPOINT_CORRUPT',
      `${name}: the record 'version' is missing, so torch.save did not write this zip`,
    )
  const version = /^\d{1,9}\n?$/.test(text) ? Number(text) : NaN
  if (Number.isNaN(version))
    throw new AppError('CHECKPOINT_CORRUPT', `${name}: the record 'version' is ${quoted(text)} instead of a number`)
  if (version < 1 || version > MAX_VERSION)
    throw new AppError(
      'CHECKPOINT_UNSUPPORTED',
      `${name}: file format version ${version}; 1 to ${MAX_VERSION} are read. Save it with PyTorch 2, or as safetensors.`,
    )
}

async function readByteOrder(archive: Omit<TorchArchive, 'bigEndian'>): Promise<boolean> {
  const text = await smallRecord(archive, 'byteorder')
  if (text === undefined || text === 'little') return false
  if (text === 'big') return true
  throw new AppError(
    'CHECKPOINT_CORRUPT',
    `${archive.source.name}: the record 'byteorder' is ${quoted(text)} instead of "little" or "big"`,
  )
}

async function smallRecord(archive: Omit<TorchArchive, 'bigEndian'>, name: string): Promise<string | undefined> {
  const entry = archive.records.get(name)
  if (!entry) return undefined
  if (entry.size > MAX_SMALL_RECORD)
    throw new AppError(
      'CHECKPOINT_CORRUPT',
      `${archive.source.name}: the record '${name}' has ${entry.size} bytes, ${MAX_SMALL_RECORD} at most were expected`,
    )
  return Buffer.from(await recordBytes(archive, entry)).toString('latin1')
}
