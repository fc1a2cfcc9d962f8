import { readFileSync } from 'node:fs'

/** Bytes of a file of test/fixtures. */
export const fixtureBytes = (name: string): Uint8Array => readFileSync(new URL(`../fixtures/${name}`, import.meta.url))

const DTYPES: Readonly<Record<string, string>> = { F32: 'float32', I64: 'int64' }

/** Key, dtype and shape of each tensor of a .safetensors fixture, which PyTorch and safetensors wrote. */
export function stateDictOf(name: string): [key: string, dtype: string, shape: number[]][] {
  const bytes = fixtureBytes(name)
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true))
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))) as Record<
    string,
    { dtype: string; shape: number[] }
  >
  return Object.entries(header)
    .filter(([key]) => key !== '__metadata__')
    .map(([key, { dtype, shape }]) => [key, DTYPES[dtype]!, shape])
}
