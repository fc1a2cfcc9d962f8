import { readCheckpoint, type Checkpoint, type CheckpointLimits, type ValueNode } from '../../src/checkpoint/index.ts'
import { bytesSource } from '../../src/container/index.ts'
import { buildZip, type EntrySpec, type ZipSpec } from '../container/build-zip.ts'
import { pickle, type Part } from './build-pickle.ts'

/** Six float32 numbers, 0.5 to 5.5. */
export const SIX_FLOATS = Buffer.from(new Float32Array([0.5, 1.5, 2.5, 3.5, 4.5, 5.5]).buffer)

/** Records of a file of torch.save; `undefined` leaves one out. */
export type Records = Readonly<Record<string, Uint8Array | string | undefined>>

/** The zip entries of a checkpoint with this data.pkl and these records next to it. */
export function torchEntries(data: Buffer, records: Records = { 'data/0': SIX_FLOATS }): EntrySpec[] {
  const all: Records = { 'data.pkl': data, byteorder: 'little', ...records, version: records['version'] ?? '3\n' }
  return Object.entries(all).flatMap(([name, content]) =>
    content === undefined
      ? []
      : [{ name: `archive/${name}`, data: Buffer.from(content), descriptor: content.length > 0 }],
  )
}

/** A file of torch.save that holds one value. */
export const torchFile = (value: Part, records?: Records, spec?: ZipSpec): Buffer =>
  buildZip(torchEntries(pickle(value), records), spec)

/** Opens bytes as a checkpoint called model.pth. */
export const open = (bytes: Uint8Array, limits?: CheckpointLimits): Promise<Checkpoint> =>
  readCheckpoint(bytesSource('model.pth', bytes), limits)

/** Opens a checkpoint that holds one value. */
export const openValue = (value: Part, records?: Records, limits?: CheckpointLimits): Promise<Checkpoint> =>
  open(torchFile(value, records), limits)

/** The root node. */
export const rootOf = ({ tree }: Checkpoint): ValueNode => tree.nodes[tree.root]!

/** All bytes of a stream. */
export async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const piece of pieces) parts.push(piece)
  return Buffer.concat(parts)
}
