import { readFile } from 'node:fs/promises'
import { bytesSource, readSafetensorsHeader } from '../../../src/container/index.ts'
import { fixture } from './test-platform.ts'

/** Files by their names: an index first, then its shards. */
export type ShardFiles = Readonly<Record<string, Buffer>>

/** A fixture of safetensors as an index and shards of some tensors each. */
export async function shardFiles(name: string, tensorsEach = 7): Promise<ShardFiles> {
  const bytes = await readFile(fixture(name))
  const { tensors } = await readSafetensorsHeader(bytesSource(name, bytes), { corrupt: 'CHECKPOINT_CORRUPT' })
  const files: Record<string, Buffer> = {}
  const weightMap: Record<string, string> = {}
  for (let first = 0; first < tensors.length; first += tensorsEach) {
    const shard = `model-${first}.safetensors`
    const header: Record<string, unknown> = {}
    const data: Buffer[] = []
    let at = 0
    for (const tensor of tensors.slice(first, first + tensorsEach)) {
      weightMap[tensor.name] = shard
      const dtype = tensor.dtype === 'int64' ? 'I64' : 'F32'
      header[tensor.name] = { dtype, shape: tensor.shape, data_offsets: [at, at + tensor.byteLength] }
      data.push(bytes.subarray(tensor.offset, tensor.offset + tensor.byteLength))
      at += tensor.byteLength
    }
    const text = Buffer.from(JSON.stringify(header))
    const length = Buffer.alloc(8)
    length.writeBigUInt64LE(BigInt(text.length))
    files[shard] = Buffer.concat([length, text, ...data])
  }
  const index = Buffer.from(JSON.stringify({ metadata: {}, weight_map: weightMap }))
  return { 'model.safetensors.index.json': index, ...files }
}
