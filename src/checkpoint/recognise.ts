import { quoted, type ByteSource } from '../container/index.ts'
import { AppError } from '../error.ts'
import { FOREIGN_FORMATS, isTar, UNRECOGNISED } from './foreign-formats.ts'
import type { CheckpointLimits } from './limits.ts'
import { tarNames } from './tar-names.ts'
import { isTorchLegacy } from './torch-legacy/magic.ts'
import { refusePickle } from './refuse-pickle.ts'

/** A format that has a reader, by what its first bytes say. */
export type RecognisedFormat = 'torch-zip' | 'torch-legacy' | 'safetensors'

const HEAD_BYTES = 1024

/**
 * Tells what a file is by its content; its name does not count.
 * @throws AppError that names any other kind of file, and says what to do.
 */
export async function recognise(source: ByteSource, limits: CheckpointLimits): Promise<RecognisedFormat> {
  if (source.size === 0)
    throw new AppError('CHECKPOINT_UNKNOWN_FORMAT', `${source.name}: the file is empty (0 bytes). Upload it again.`)
  const head = await source.read(0, Math.min(HEAD_BYTES, source.size))
  if (startsWith(head, [0x50, 0x4b, 0x03, 0x04])) return 'torch-zip'
  if (isSafetensors(head)) return 'safetensors'
  if (isTorchLegacy(head, source.name, limits)) return 'torch-legacy'
  const text = Buffer.from(head)
    .toString('latin1')
    .replace(/^\xef\xbb\xbf/, '')
  if (isTar(head, text)) await refuseTorchTar(source)
  const foreign = FOREIGN_FORMATS.find(({ matches }) => matches(head, text))
  if (foreign) throw new AppError(foreign.code, `${source.name}: the file is ${foreign.message}`)
  await refusePickle(source, head, limits)
  throw new AppError(
    'CHECKPOINT_UNKNOWN_FORMAT',
    `${source.name}: the file is ${UNRECOGNISED} It begins with ${quoted(text.slice(0, 24))}.`,
  )
}

/** A header length of less than 2^40, and JSON after it. Larger lengths are refused where the header is read. */
const isSafetensors = (head: Uint8Array): boolean =>
  head.length > 8 &&
  head[5] === 0 &&
  head[6] === 0 &&
  head[7] === 0 &&
  [0x7b, 0x20, 0x0a, 0x0d, 0x09].includes(head[8]!)

const startsWith = (head: Uint8Array, bytes: readonly number[]): boolean => bytes.every((byte, i) => head[i] === byte)

/** torch.save of PyTorch 0.1.9 and older wrote a tar of `sys_info`, `pickle`, `tensors` and `storages`. */
async function refuseTorchTar(source: ByteSource): Promise<void> {
  const names = await tarNames(source)
  if (!['pickle', 'tensors', 'storages'].every((name) => names.includes(name))) return
  throw new AppError(
    'CHECKPOINT_UNSUPPORTED',
    `${source.name}: the file is in the tar format of PyTorch 0.1.9 and older, which is not read (nor by torch.load with ` +
      `weights_only=True). In Python, if you trust it: torch.save(torch.load(path, weights_only=False), new_path).`,
  )
}
