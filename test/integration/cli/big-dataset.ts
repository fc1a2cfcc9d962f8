import { writeFileSync } from 'node:fs'

/**
 * Writes digits as safetensors (https://github.com/huggingface/safetensors#format): enough of them that a run takes a while.
 * @param count samples of 1 × 8 × 8
 */
export function writeDigits(path: string, count: number): void {
  const x = new Float32Array(count * 64).map((_, index) => ((index * 2654435761) % 17) / 16)
  const y = new BigInt64Array(count).map((_, index) => BigInt(index % 10))
  const header = Buffer.from(
    JSON.stringify({
      x: { dtype: 'F32', shape: [count, 1, 8, 8], data_offsets: [0, x.byteLength] },
      y: { dtype: 'I64', shape: [count], data_offsets: [x.byteLength, x.byteLength + y.byteLength] },
    }),
  )
  const length = Buffer.alloc(8)
  const padded = Buffer.concat([header, Buffer.alloc((8 - (header.length % 8)) % 8, ' ')])
  length.writeBigUInt64LE(BigInt(padded.length))
  writeFileSync(path, Buffer.concat([length, padded, new Uint8Array(x.buffer), new Uint8Array(y.buffer)]))
}
