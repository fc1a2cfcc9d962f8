import { readCheckpoint, type Checkpoint } from '../checkpoint/index.ts'
import { fileSource, type ByteSource } from '../container/index.ts'
import { checkFile } from './option-values.ts'

/** A checkpoint file that is open, with the bytes that it is read from. */
export interface OpenCheckpointFile extends AsyncDisposable {
  readonly source: ByteSource
  readonly checkpoint: Checkpoint
}

/**
 * Opens a checkpoint file of this machine, without a platform.
 * @throws CliFailure USAGE when there is no such file; AppError as `readCheckpoint`.
 */
export async function openCheckpointFile(path: string): Promise<OpenCheckpointFile> {
  await checkFile('checkpoint', path)
  const source = await fileSource(path)
  try {
    const checkpoint = await readCheckpoint(source)
    return { source, checkpoint, [Symbol.asyncDispose]: () => checkpoint[Symbol.asyncDispose]() }
  } catch (error) {
    await source[Symbol.asyncDispose]()
    throw error
  }
}

/** Whether an argument is the id of a checkpoint of a platform, and no file. */
export const isCheckpointId = (text: string): boolean => /^ckp_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)
