import { entryPieces, quoted, readZipDirectory, type ByteSource, type ZipEntry } from '../container/index.ts'
import { AppError } from '../error.ts'
import { isTorchZip, zipOptions } from './archive.ts'
import { arrayDataset } from './array-dataset.ts'
import { rolesOf, type Candidate } from './array-roles.ts'
import type { DatasetFile } from './columns.ts'
import type { DatasetLimits } from './dataset-limits.ts'
import type { DatasetOptions } from './dataset-options.ts'
import { npyArray, type NpyBytes } from './npy-array.ts'

/** A file of np.savez or np.savez_compressed: a zip of npy arrays. */
export async function openNpz(
  source: ByteSource,
  options: DatasetOptions,
  limits: DatasetLimits,
): Promise<DatasetFile> {
  const entries = await readZipDirectory(source, zipOptions(limits))
  checkEntries(source, entries, limits)
  const candidates: Candidate[] = []
  for (const entry of entries) candidates.push(await openEntry(source, entry, limits))
  return arrayDataset(source, 'npz', rolesOf(source, candidates, options), limits)
}

function checkEntries(source: ByteSource, entries: readonly ZipEntry[], limits: DatasetLimits): void {
  if (entries.length > limits.maxColumns)
    throw new AppError(
      'LIMIT_EXCEEDED',
      `${source.name} holds ${entries.length} arrays, the limit is ${limits.maxColumns}`,
    )
  const other = entries.find(({ name }) => !name.endsWith('.npy'))
  if (other === undefined && entries.length > 0) return
  const looks = isTorchZip(entries)
    ? 'is a PyTorch checkpoint (a zip with data.pkl), not a dataset'
    : `is a zip file, but ${other === undefined ? 'empty' : `${quoted(other.name)} in it is no .npy array`}`
  throw new AppError('DATASET_UNKNOWN_FORMAT', `${source.name} ${looks}; expected an .npz file as np.savez writes it`)
}

async function openEntry(source: ByteSource, entry: ZipEntry, limits: DatasetLimits): Promise<Candidate> {
  const name = entry.name.slice(0, -'.npy'.length)
  const bytes: NpyBytes = {
    name,
    where: `${source.name}: array ${quoted(name)}`,
    length: entry.size,
    pieces: () => entryPieces(source, entry, zipOptions(limits)),
    read: entry.method === 'stored' ? (offset, length) => source.read(entry.offset + offset, length) : null,
  }
  try {
    return { name, array: await npyArray(bytes, limits) }
  } catch (error) {
    if (error instanceof AppError && error.code === 'DATASET_UNSUPPORTED') return { name, array: error }
    throw error
  }
}
