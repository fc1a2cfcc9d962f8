import { quoted, type ByteSource } from '../container/index.ts'
import { AppError } from '../error.ts'

/**
 * What a library reads from a file; whatever else it throws means that the file is not as it says.
 * @throws AppError DATASET_CORRUPT, DATASET_UNSUPPORTED for a compression that is not read.
 */
export async function readAs<T>(format: string, source: ByteSource, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof AppError) throw error
    const message = error instanceof Error ? error.message : String(error)
    const text = `${source.name} cannot be read as ${format}: ${quoted(message, 200)}`
    throw /compress/i.test(message)
      ? new AppError('DATASET_UNSUPPORTED', `${text}; save it without compression`, { cause: error })
      : new AppError('DATASET_CORRUPT', text, { cause: error })
  }
}
