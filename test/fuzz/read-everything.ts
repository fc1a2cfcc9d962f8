import {
  findStateDicts,
  opaqueTensors,
  readCheckpoint,
  readCheckpointShards,
  tensorBytes,
} from '../../src/checkpoint/index.ts'
import { bytesSource } from '../../src/container/index.ts'
import { AppError, type ErrorCode } from '../../src/error.ts'
import { numel } from '../../src/tensor/index.ts'
import type { FuzzCase } from './cases.ts'

/** Views of more elements are not put in order: an expanded one stands for up to 1 GiB, which is legal and slow. */
const ELEMENTS = 1e6

/**
 * Opens a case and reads all there is in it.
 * @returns 'read', or the code with which it was refused.
 * @throws whatever is no AppError, and when what was read contradicts itself.
 */
export async function readEverything({ file, shards }: FuzzCase): Promise<'read' | ErrorCode> {
  const source = bytesSource('fuzzed', file)
  try {
    const checkpoint = await (shards === undefined
      ? readCheckpoint(source)
      : readCheckpointShards(
          source,
          Object.entries(shards).map(([name, bytes]) => bytesSource(name, bytes)),
        ))
    for (const { path } of findStateDicts(checkpoint)) opaqueTensors(checkpoint.tree, path)
    JSON.stringify(checkpoint.tree)
    for (const [index, { byteLength }] of checkpoint.storages.entries()) {
      let length = 0
      for await (const piece of checkpoint.readStorage(index)) length += piece.length
      if (length !== byteLength) throw new Error(`storage ${index} has ${length} bytes instead of ${byteLength}`)
    }
    for (const [index, { shape }] of checkpoint.tensors.entries())
      if (numel(shape) < ELEMENTS)
        for await (const piece of tensorBytes(checkpoint, index))
          if (piece.length === 0) throw new Error(`tensor ${index} has an empty piece`)
    return 'read'
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    if (error.message.length > 5000)
      throw new Error(`a message of ${error.message.length} characters`, { cause: error })
    return error.code
  }
}
