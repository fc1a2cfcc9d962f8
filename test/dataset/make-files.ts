import { bytesSource, type ByteSource } from '../../src/container/index.ts'
import { openDataset, type DatasetFile, type DatasetLimits, type DatasetOptions } from '../../src/dataset/index.ts'

/** A file in memory. */
export const textFile = (name: string, text: string): ByteSource => bytesSource(name, Buffer.from(text))

/** The bytes of a column, and how long its pieces were. */
export async function columnBytes(file: DatasetFile, index: number): Promise<{ bytes: Buffer; largest: number }> {
  const pieces: Uint8Array[] = []
  for await (const piece of file.read(index)) pieces.push(piece)
  return { bytes: Buffer.concat(pieces), largest: Math.max(0, ...pieces.map((piece) => piece.length)) }
}

/** The numbers of a column of float32, float64 or int64. */
export async function columnNumbers(file: DatasetFile, index: number): Promise<number[]> {
  const { bytes } = await columnBytes(file, index)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const { dtype } = file.columns[index]!
  const size = dtype === 'float32' ? 4 : 8
  return Array.from({ length: bytes.length / size }, (_, i) => {
    if (dtype === 'float32') return view.getFloat32(4 * i, true)
    return dtype === 'float64' ? view.getFloat64(8 * i, true) : Number(view.getBigInt64(8 * i, true))
  })
}

/** Opens a file and reads every column to its end, as an import does. */
export async function importAll(source: ByteSource, options?: DatasetOptions, limits?: DatasetLimits): Promise<void> {
  await using file = await openDataset(source, options, limits)
  for (let i = 0; i < file.columns.length; i++) await columnBytes(file, i)
}

/** An npy array as numpy.lib.format describes it: the header padded to 64 bytes. */
export function npyBytes(
  header: string | { descr: string; shape: readonly number[]; fortranOrder?: boolean },
  data: Uint8Array,
  version: 1 | 2 | 3 = 1,
): Buffer {
  const text =
    typeof header === 'string'
      ? header
      : `{'descr': '${header.descr}', 'fortran_order': ${header.fortranOrder ? 'True' : 'False'}, 'shape': (${header.shape.map((n) => `${n},`).join(' ')}), }`
  const fixed = version === 1 ? 10 : 12
  const encoded = Buffer.from(text, version === 3 ? 'utf8' : 'latin1')
  const length = Math.ceil((fixed + encoded.length + 1) / 64) * 64 - fixed
  const prefix = Buffer.alloc(fixed)
  prefix.write('\x93NUMPY', 'latin1')
  prefix[6] = version
  if (version === 1) prefix.writeUInt16LE(length, 8)
  else prefix.writeUInt32LE(length, 8)
  return Buffer.concat([prefix, encoded, Buffer.alloc(length - encoded.length - 1, ' '), Buffer.from('\n'), data])
}

/** Little-endian float32 bytes. */
export const floats = (...values: number[]): Buffer => Buffer.from(Float32Array.from(values).buffer)

/** Little-endian int64 bytes. */
export const longs = (...values: number[]): Buffer => Buffer.from(BigInt64Array.from(values.map(BigInt)).buffer)

/** A zip of stored entries, without CRCs. */
export function zipOf(entries: Readonly<Record<string, Uint8Array>>): Buffer {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const [name, data] of Object.entries(entries)) {
    const header = Buffer.alloc(30)
    header.writeUInt32LE(0x04034b50, 0)
    header.writeUInt32LE(data.length, 18)
    header.writeUInt32LE(data.length, 22)
    header.writeUInt16LE(Buffer.byteLength(name), 26)
    const entry = Buffer.alloc(46)
    entry.writeUInt32LE(0x02014b50, 0)
    entry.writeUInt32LE(data.length, 20)
    entry.writeUInt32LE(data.length, 24)
    entry.writeUInt16LE(Buffer.byteLength(name), 28)
    entry.writeUInt32LE(offset, 42)
    parts.push(header, Buffer.from(name), Buffer.from(data))
    directory.push(entry, Buffer.from(name))
    offset += 30 + Buffer.byteLength(name) + data.length
  }
  const central = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(directory.length / 2, 8)
  end.writeUInt16LE(directory.length / 2, 10)
  end.writeUInt32LE(central.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...parts, central, end])
}

/** An npz file of arrays by name. */
export const npzFile = (arrays: Readonly<Record<string, Uint8Array>>, name = 'test.npz'): ByteSource =>
  bytesSource(name, zipOf(Object.fromEntries(Object.entries(arrays).map(([key, bytes]) => [`${key}.npy`, bytes]))))

/** A safetensors file: name → dtype, shape, data. */
export function safetensorsFile(
  tensors: Readonly<Record<string, { dtype: string; shape: number[]; data: Uint8Array }>>,
): ByteSource {
  let at = 0
  const header = Object.fromEntries(
    Object.entries(tensors).map(([name, { dtype, shape, data }]) => {
      const begin = at
      at += data.length
      return [name, { dtype, shape, data_offsets: [begin, at] }]
    }),
  )
  const text = Buffer.from(JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(text.length))
  return bytesSource(
    'test.safetensors',
    Buffer.concat([length, text, ...Object.values(tensors).map(({ data }) => data)]),
  )
}
