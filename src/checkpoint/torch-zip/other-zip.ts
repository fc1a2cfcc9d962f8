import { quoted, type ZipEntry } from '../../container/index.ts'
import { AppError, type ErrorCode } from '../../error.ts'

/** A kind of zip file that people take for a checkpoint, told by the names of its entries. */
interface ZipKind {
  readonly is: (names: readonly string[]) => boolean
  readonly code: ErrorCode
  readonly message: string
}

const inRoot = (name: string): ((names: readonly string[]) => boolean) => {
  const pattern = new RegExp(`^[^/]+/${name}$`)
  return (names) => names.some((entry) => pattern.test(entry))
}

const OTHER_ZIPS: readonly ZipKind[] = [
  {
    is: (names) => names.every((name) => name.endsWith('.npy')),
    code: 'CHECKPOINT_UNKNOWN_FORMAT',
    message: 'a NumPy archive (.npz). Upload it as a dataset; save weights with torch.save(model.state_dict(), path).',
  },
  {
    is: inRoot('constants\\.pkl'),
    code: 'CHECKPOINT_UNSUPPORTED',
    message:
      'a TorchScript module (torch.jit.save). Save its weights alone: torch.save(torch.jit.load(path).state_dict(), other_path).',
  },
  {
    is: (names) => inRoot('archive_format')(names) || inRoot('serialized_exported_program\\.json')(names),
    code: 'CHECKPOINT_UNSUPPORTED',
    message:
      'an exported program (torch.export.save). Save its weights alone: torch.save(torch.export.load(path).state_dict, other_path).',
  },
  {
    is: (names) => inRoot('\\.metadata')(names) || names.some((name) => /(^|\/)[^/]+\.distcp$/.test(name)),
    code: 'CHECKPOINT_UNSUPPORTED',
    message:
      'a distributed checkpoint. Convert it: python -m torch.distributed.checkpoint.format_utils dcp_to_torch DIR FILE.',
  },
  {
    is: (names) => names.includes('model.weights.h5'),
    code: 'CHECKPOINT_UNKNOWN_FORMAT',
    message: 'a Keras model, not a PyTorch checkpoint.',
  },
  {
    is: (names) => names.includes('[Content_Types].xml'),
    code: 'CHECKPOINT_UNKNOWN_FORMAT',
    message: 'an Office document.',
  },
  {
    is: (names) => names.some((name) => /\.(pth|pt|ckpt|safetensors|bin)$/.test(name)),
    code: 'CHECKPOINT_UNKNOWN_FORMAT',
    message: 'a zip with checkpoint files in it. Unpack it, and upload the files in it.',
  },
]

/** Refuses a zip that torch.save did not write, by the name of what it is. */
export function refuseOtherZip(fileName: string, entries: readonly ZipEntry[]): void {
  const names = entries.map(({ name }) => name)
  if (names.length === 0) throw new AppError('CHECKPOINT_UNKNOWN_FORMAT', `${fileName}: an empty zip file`)
  const other = OTHER_ZIPS.find(({ is }) => is(names))
  if (other) throw new AppError(other.code, `${fileName}: the file is ${other.message}`)
  if (inRoot('data\\.pkl')(names)) return
  const shown = names
    .slice(0, 5)
    .map((name) => quoted(name))
    .join(', ')
  throw new AppError(
    'CHECKPOINT_UNKNOWN_FORMAT',
    `${fileName}: a zip file without the data.pkl that torch.save writes; it holds ${shown}${names.length > 5 ? ', …' : ''}. ` +
      'Save the weights with torch.save(model.state_dict(), path), or as safetensors.',
  )
}
