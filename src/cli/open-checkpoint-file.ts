import { readCheckpoint, readCheckpointShards, type Checkpoint } from '../checkpoint/index.ts'
import { fileSource, type ByteSource } from '../container/index.ts'
import { isShardIndex, shardPaths } from './checkpoint-files.ts'
import { checkFile } from './option-values.ts'

/** A checkpoint file that is open, with the bytes that it is read from. */
export interface OpenCheckpointFile extends AsyncDisposable {
  /** Of the file that was named: of a sharded checkpoint, the index. */
  readonly source: ByteSource
  readonly checkpoint: Checkpoint
}

/**
 * Opens a checkpoint file of this machine, without a platform; of an index, with the shards next to it.
 * @throws CliFailure USAGE when there is no such file; AppError as `readCheckpoint` and `readCheckpointShards`.
 */
export async function openCheckpointFile(path: string): Promise<OpenCheckpointFile> {
  await checkFile('checkpoint', path)
  const sharded = isShardIndex(path)
  const shards = sharded ? await shardPaths(path) : []
  for (const shard of shards) await checkFile('a shard of the checkpoint', shard)
  const sources: (ByteSource & AsyncDisposable)[] = []
  try {
    const source = await fileSource(path)
    sources.push(source)
    for (const shard of shards) sources.push(await fileSource(shard))
    const others = sources.slice(1)
    const checkpoint = sharded ? await readCheckpointShards(source, others) : await readCheckpoint(source)
    return { source, checkpoint, [Symbol.asyncDispose]: () => checkpoint[Symbol.asyncDispose]() }
  } catch (error) {
    for (const open of sources) await open[Symbol.asyncDispose]()
    throw error
  }
}

/** Whether an argument is the id of a checkpoint of a platform, and no file. */
export const isCheckpointId = (text: string): boolean => /^ckp_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)
