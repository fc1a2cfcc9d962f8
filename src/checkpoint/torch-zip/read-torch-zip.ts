import { entryPieces, readPieces, readZipDirectory, type ByteSource } from '../../container/index.ts'
import { AppError } from '../../error.ts'
import { itemSize } from '../../tensor/index.ts'
import type { ByteSpan } from '../byte-span.ts'
import { slicePieces, swapPieces, swapUnit } from '../byte-pieces.ts'
import { CHECKPOINT_CODES } from '../checkpoint-codes.ts'
import { disposeSource } from '../dispose-source.ts'
import type { CheckpointLimits } from '../limits.ts'
import { flatten } from '../pickle/flatten.ts'
import { readPickle } from '../pickle/machine.ts'
import { valueOf } from '../pickle/refuse-foreign.ts'
import { requestedRange } from '../requested-range.ts'
import type { Checkpoint, StorageEntry, TensorEntry } from '../value-tree.ts'
import { openArchive, recordBytes, type TorchArchive } from './archive.ts'
import { storageTable, type StorageTable } from './storages.ts'

/** Reads the zip format of torch.save (PyTorch 1.6 and later). */
export async function readTorchZip(source: ByteSource, limits: CheckpointLimits): Promise<Checkpoint> {
  const entries = await readZipDirectory(source, { ...CHECKPOINT_CODES, limits: limits.zip })
  const archive = await openArchive(source, entries, limits)
  const record = archive.records.get('data.pkl')
  if (!record) throw new AppError('CHECKPOINT_CORRUPT', `${source.name}: data.pkl is not in the root folder of the zip`)
  if (record.size > limits.pickle.maxBytes)
    throw new AppError(
      'LIMIT_EXCEEDED',
      `${source.name}: data.pkl has ${record.size} bytes, the limit is ${limits.pickle.maxBytes}`,
    )
  const bytes = await recordBytes(archive, record)
  const where = `${source.name}: data.pkl`
  const table = storageTable(archive)
  const pickle = readPickle(bytes, { where, limits, persistentLoad: table.persistentLoad })
  const value = valueOf(pickle, source.name, where)
  const { tree, tensors } = flatten(value, limits.pickle, where)
  if (archive.bigEndian) checkSwappable(source.name, tensors, table.storages)
  if (pickle.end < bytes.length)
    archive.warnings.push(`${where}: ${bytes.length - pickle.end} bytes after the end of the pickle are ignored`)
  return {
    format: 'torch-zip',
    tree,
    tensors,
    storages: table.storages,
    globals: pickle.globals,
    warnings: archive.warnings,
    readStorage: (index, offset, length, into) => readStorage(archive, table, index, offset, length, into),
    storageRange: (index) => rangeOf(archive, table, index),
    [Symbol.asyncDispose]: () => disposeSource(source),
  }
}

/** An UntypedStorage does not say what its bytes are, so only the tensors could tell how to swap it. */
function checkSwappable(fileName: string, tensors: readonly TensorEntry[], storages: readonly StorageEntry[]): void {
  const unclear = tensors.find(({ dtype, storage }) => itemSize(dtype) > 1 && storages[storage]!.dtype === 'uint8')
  if (unclear)
    throw new AppError(
      'CHECKPOINT_UNSUPPORTED',
      `${fileName}: a big-endian file with a tensor of dtype ${unclear.dtype}; save it on a little-endian machine`,
    )
}

function readStorage(
  archive: TorchArchive,
  table: StorageTable,
  index: number,
  offset?: number,
  length?: number,
  into?: Uint8Array,
): AsyncIterable<Uint8Array> {
  const { start, end } = requestedRange(table.storages, index, offset, length)
  if (!archive.bigEndian) return readRecord(archive, table, index, start, end, into)
  const { dtype, byteLength } = table.storages[index]!
  const unit = swapUnit(dtype)
  const wholeStart = start - (start % unit)
  const wholeEnd = Math.min(byteLength, Math.ceil(end / unit) * unit)
  const swapped = swapPieces(readRecord(archive, table, index, wholeStart, wholeEnd), unit)
  return slicePieces(swapped, start - wholeStart, end - start)
}

function rangeOf(archive: TorchArchive, table: StorageTable, index: number): ByteSpan | null {
  const entry = table.entries[index]
  if (!entry || entry.method !== 'stored' || archive.bigEndian) return null
  return { start: entry.offset, end: entry.offset + entry.size }
}

/** Bytes of a record as they are in the file. The CRC is checked when the whole of it is read. */
function readRecord(
  { source, limits, warnings }: TorchArchive,
  table: StorageTable,
  index: number,
  start: number,
  end: number,
  into?: Uint8Array,
): AsyncIterable<Uint8Array> {
  const entry = table.entries[index]!
  const whole = start === 0 && end === entry.size
  if (entry.method === 'stored' && !whole) return readPieces(source, entry.offset + start, end - start, into)
  const pieces = entryPieces(source, entry, {
    ...CHECKPOINT_CODES,
    limits: limits.zip,
    onCrcMismatch: (message) => warnings.push(message),
    into,
  })
  return whole ? pieces : slicePieces(pieces, start, end - start)
}
