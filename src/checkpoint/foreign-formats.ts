import type { ErrorCode } from '../error.ts'

/** A kind of file that people take for a checkpoint, told by its first bytes. */
export interface ForeignFormat {
  /** Completes `the file is …`; says what to do. */
  readonly message: string
  readonly code: ErrorCode
  readonly matches: (head: Uint8Array, text: string) => boolean
}

const TORCH_ADVICE = 'Save the weights with torch.save(model.state_dict(), path), or as safetensors.'

const magic = (hex: string, offset = 0): ForeignFormat['matches'] => {
  const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex')
  return (head) => Buffer.compare(head.subarray(offset, offset + bytes.length), bytes) === 0
}
const ascii = (text: string, offset = 0): ForeignFormat['matches'] =>
  magic(Buffer.from(text, 'latin1').toString('hex'), offset)

const unknown = (message: string, matches: ForeignFormat['matches']): ForeignFormat => ({
  code: 'CHECKPOINT_UNKNOWN_FORMAT',
  message,
  matches,
})
const packed = (name: string, matches: ForeignFormat['matches']): ForeignFormat =>
  unknown(`compressed or packed with ${name}. Unpack it, and upload what is in it.`, matches)

/** POSIX and GNU tar. */
export const isTar = ascii('ustar', 257)

/** In the order in which they are tried. The first bytes of torch zip, torch legacy, pickle and safetensors are not here. */
export const FOREIGN_FORMATS: readonly ForeignFormat[] = [
  unknown(
    'a Git LFS pointer, not the checkpoint itself. Fetch the content with `git lfs pull`, and upload that.',
    ascii('version https://git-lfs.github.com/spec/'),
  ),
  unknown(
    'an HTML page, not a checkpoint: the download was answered with a page (a login, a warning, an error). Open the link in a browser and download the file itself.',
    (_head, text) => /^\s*(<!--[^]*?-->\s*)?<(!doctype\s+html|html|head|body)\b/i.test(text),
  ),
  unknown(
    'an XML document, not a checkpoint: most likely the error message of a storage service instead of the file.',
    (_head, text) => /^\s*<\?xml\b/i.test(text),
  ),
  unknown('an HDF5 file (Keras or TensorFlow), not a PyTorch checkpoint.', magic('89 48 44 46 0d 0a 1a 0a')),
  unknown('a GGUF file (llama.cpp). Upload the safetensors or PyTorch file that it was made of.', ascii('GGUF')),
  unknown('a TensorFlow Lite model, not a PyTorch checkpoint.', ascii('TFL3', 4)),
  unknown('a NumPy array (.npy). Upload it as a dataset.', magic('93 4e 55 4d 50 59')),
  unknown('a Parquet file. Upload it as a dataset.', ascii('PAR1')),
  packed('gzip', magic('1f 8b')),
  packed('bzip2', ascii('BZh')),
  packed('xz', magic('fd 37 7a 58 5a 00')),
  packed('Zstandard', magic('28 b5 2f fd')),
  packed('7-Zip', magic('37 7a bc af 27 1c')),
  packed('RAR', ascii('Rar!\x1a\x07')),
  unknown('a tar archive. Unpack it, and upload the checkpoint in it.', isTar),
  unknown('a PNG image.', magic('89 50 4e 47 0d 0a 1a 0a')),
  unknown('a JPEG image.', magic('ff d8 ff')),
  unknown('a GIF image.', ascii('GIF8')),
  unknown('a PDF document.', ascii('%PDF-')),
  unknown('a program (ELF), not a checkpoint.', magic('7f 45 4c 46')),
  unknown('a program (Windows), not a checkpoint.', ascii('MZ')),
  unknown(
    'an ONNX model (or another protocol buffer). Upload it as the architecture of a model; a checkpoint is made with torch.save(model.state_dict(), path).',
    // ModelProto: ir_version (field 1, varint), then producer_name (2), graph (7) or opset_import (8).
    (head) => head[0] === 0x08 && head[1]! < 0x20 && [0x12, 0x1a, 0x3a, 0x42].includes(head[2]!),
  ),
  unknown(
    `a split or empty zip file. ${TORCH_ADVICE}`,
    (head) => magic('50 4b 05 06')(head, '') || magic('50 4b 07 08')(head, ''),
  ),
  unknown(
    'only zero bytes at its beginning: a download or a copy that never finished.',
    (head) => head.length >= 16 && head.every((byte) => byte === 0),
  ),
  {
    code: 'CHECKPOINT_UNSUPPORTED',
    message: 'the index of a sharded checkpoint. Give the shards that it names together with it.',
    matches: (_head, text) => /^\s*\{/.test(text) && /"weight_map"\s*:\s*\{/.test(text),
  },
  unknown('JSON text, not a checkpoint. Layer lists are uploaded as the architecture of a model.', (_head, text) =>
    /^\s*(\{\s*["}]|\[\s*[[{"\d\]])/.test(text),
  ),
]

/** What is said about a file that nothing above matches. */
export const UNRECOGNISED = `no checkpoint format that is read (files of torch.save, safetensors). ${TORCH_ADVICE}`
