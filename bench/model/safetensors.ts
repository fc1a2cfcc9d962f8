import { open } from 'node:fs/promises'

/** An array of a safetensors file whose bytes are made piece by piece. */
export interface Entry {
  readonly name: string
  readonly dtype: 'F32' | 'I64'
  readonly shape: readonly number[]
  pieces(): Iterable<Uint8Array>
}

/** Writes a safetensors file without holding it in memory. */
export async function writeSafetensors(path: string, entries: readonly Entry[]): Promise<void> {
  let offset = 0
  const header: Record<string, unknown> = {}
  for (const { name, dtype, shape } of entries) {
    const end = offset + shape.reduce((a, b) => a * b, 1) * (dtype === 'F32' ? 4 : 8)
    header[name] = { dtype, shape, data_offsets: [offset, end] }
    offset = end
  }
  let text = JSON.stringify(header)
  text += ' '.repeat((8 - (text.length % 8)) % 8)
  const length = new Uint8Array(8)
  new DataView(length.buffer).setBigUint64(0, BigInt(text.length), true)
  const file = await open(path, 'w')
  try {
    await file.writeFile(length)
    await file.writeFile(text)
    for (const entry of entries) for (const piece of entry.pieces()) await file.writeFile(piece)
  } finally {
    await file.close()
  }
}
