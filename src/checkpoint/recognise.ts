import { quoted, type ByteSource } from '../container/index.ts'
import { AppError } from '../error.ts'
import { FOREIGN_FORMATS, UNRECOGNISED } from './foreign-formats.ts'
import type { CheckpointLimits } from './limits.ts'
import { refusePickle } from './refuse-pickle.ts'

/** A format that has a reader, by what its first bytes say. */
export type RecognisedFormat = 'torch-zip' | 'safetensors'

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
  const text = Buffer.from(head)
    .toString('latin1')
    .replace(/^\xef\xbb\xbf/, '')
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
