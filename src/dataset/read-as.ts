import { quoted, type ByteSource } from '../container/index.ts'
import { AppError } from '../error.ts'

/**
 * What a library reads from a file; whatever else it throws means that the file is not as it says.
 * @throws AppError DATASET_CORRUPT.
 */
export async function readAs<T>(format: string, source: ByteSource, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof AppError) throw error
    const message = error instanceof Error ? error.message : String(error)
    const cure = /compress/i.test(message) ? '; save it without compression' : ''
    throw new AppError(
      'DATASET_CORRUPT',
      `${source.name} cannot be read as ${format}: ${quoted(message, 200)}${cure}`,
      {
        cause: error,
      },
    )
  }
}
