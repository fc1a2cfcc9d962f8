import { expect } from '@jest/globals'
import { AppError, type ErrorCode } from '../../../src/error.ts'
import type { Platform } from '../../../src/usecase/index.ts'
import { countRows } from './test-platform.ts'

/** Expects a refusal with this code and a message that matches, which leaves no row behind and no upload consumed. */
export async function refused(
  platform: Platform,
  action: () => Promise<unknown>,
  code: ErrorCode,
  message: RegExp,
): Promise<void> {
  const { upload } = platform.store.prisma
  const before = [await countRows(platform), await upload.count()]
  const failure = await action().then(
    () => null,
    (error: unknown) => error,
  )
  // Shows what it was instead.
  if (!(failure instanceof AppError)) throw new Error(`not refused: ${String(failure)}`, { cause: failure })
  expect({ code: failure.code, message: failure.message }).toEqual({ code, message: expect.stringMatching(message) })
  expect([await countRows(platform), await upload.count()]).toEqual(before)
}
