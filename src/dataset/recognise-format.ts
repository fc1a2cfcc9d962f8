import type { ByteSource } from '../container/index.ts'
import { quoted } from '../container/index.ts'
import { AppError } from '../error.ts'
import type { DatasetFormat } from './dataset-options.ts'
import { isIdx } from './idx-array.ts'

const HEAD_BYTES = 4096
const BINARY_NAMES = /\.(npz|npy|safetensors|pt|pth|ckpt|pkl|parquet|arrow|feather|h5|gz|zip)$/i

/** What a file is: a zip may be an .npz or an archive of other files. */
export type FileFormat = Exclude<DatasetFormat, 'npz' | 'images' | 'torch'> | 'zip' | 'tar' | 'gzip'

/**
 * The format of a file by its first bytes; its name only decides whether text may be a CSV.
 * @throws AppError DATASET_UNKNOWN_FORMAT, which says what the file looks like.
 */
export async function recogniseFormat(source: ByteSource): Promise<FileFormat> {
  const head = await source.read(0, Math.min(HEAD_BYTES, source.size))
  const foreign = foreignFormat(head)
  if (foreign !== null) throw unknown(source, foreign)
  const found = knownFormat(head, source)
  if (found === null)
    throw unknown(
      source,
      `begins with the bytes ${Buffer.from(head.subarray(0, 8)).toString('hex')}, which no format has`,
    )
  if ((found === 'csv' || found === 'jsonl') && BINARY_NAMES.test(source.name))
    throw unknown(source, `is ${found === 'csv' ? 'text' : 'JSON'}: ${quoted(textOf(head) ?? '', 60)}`)
  return found
}

/** What a message calls a file that is something else altogether. */
const unknown = (source: ByteSource, looks: string): AppError =>
  new AppError(
    'DATASET_UNKNOWN_FORMAT',
    `${source.name} ${looks}; expected one of .npz, .npy, .safetensors, .parquet, .arrow, .jsonl, .csv with a header line, IDX, or an archive (.zip, .tar) of images`,
  )

function knownFormat(head: Uint8Array, source: ByteSource): FileFormat | null {
  if (startsWith(head, '\x93NUMPY')) return 'npy'
  if (startsWith(head, 'PK\x03\x04')) return 'zip'
  if (startsWith(head, '\x1f\x8b')) return 'gzip'
  if (new TextDecoder('latin1').decode(head.subarray(257, 262)) === 'ustar') return 'tar'
  if (isIdx(head)) return 'idx'
  if (startsWith(head, 'PAR1')) return 'parquet'
  // A file, or a stream of messages: a continuation and the length of the schema.
  if (startsWith(head, 'ARROW1') || startsWith(head, '\xff\xff\xff\xff')) return 'arrow'
  if (isSafetensors(head, source.size)) return 'safetensors'
  const text = textOf(head)
  return text === null ? null : text.trimStart().startsWith('{') ? 'jsonl' : 'csv'
}

/** Eight bytes of header length, then the header's JSON object. */
function isSafetensors(head: Uint8Array, size: number): boolean {
  if (head.length < 9 || head[8] !== 0x7b) return false
  const length = new DataView(head.buffer, head.byteOffset).getBigUint64(0, true)
  return length < 100_000_000n || length < BigInt(size)
}

const SIGNATURES: readonly (readonly [signature: string, looks: string])[] = [
  [
    'version https://git-lfs.github.com/spec/',
    'is a Git LFS pointer, not the file itself: fetch it with `git lfs pull`',
  ],
  ['\x89HDF', 'is an HDF5 file'],
  ['PK\x05\x06', 'is an empty zip file'],
  ['%PDF', 'is a PDF file'],
  ['\x89PNG', 'is a PNG image'],
  ['\xff\xd8\xff', 'is a JPEG image'],
  ['\xff\xfe', 'is UTF-16 text: save it as UTF-8'],
  ['\xfe\xff', 'is UTF-16 text: save it as UTF-8'],
]

function foreignFormat(head: Uint8Array): string | null {
  if (head.length === 0) return 'is empty'
  const signature = SIGNATURES.find(([bytes]) => startsWith(head, bytes))
  if (signature !== undefined) return signature[1]
  // PROTO 2 to 5, or the long integer that older PyTorch files begin with.
  if (head[0] === 0x80 && head[1]! >= 2 && head[1]! <= 5)
    return 'is a Python pickle, which is never opened here because loading one executes code: save the arrays with np.savez'
  const text = textOf(head)?.trimStart() ?? ''
  if (/^<(!doctype|html|head|\?xml)/i.test(text))
    return 'is an HTML or XML page, perhaps an error or login page of the server'
  if (text.startsWith('[')) return 'is a JSON array: write one object on each line (JSON Lines)'
  return null
}

function startsWith(head: Uint8Array, signature: string): boolean {
  return head.length >= signature.length && Array.from(signature).every((char, i) => head[i] === char.charCodeAt(0))
}

/** The head as UTF-8 text, or null: text has no control characters but tabs and line ends. */
function textOf(head: Uint8Array): string | null {
  if (head.some((byte) => byte < 0x20 && byte !== 9 && byte !== 10 && byte !== 13)) return null
  return new TextDecoder().decode(head)
}
