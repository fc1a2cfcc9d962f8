import { AppError } from '../error.ts'
import type { HeldLock } from '../store/index.ts'
import type { Platform } from './platform.ts'

/**
 * Takes an upload, so that nobody else writes, completes, deletes or sweeps it, in this process or another; null when somebody has it.
 * It is free as soon as its holder is done or dead.
 */
export const tryHoldUpload = ({ store }: Platform, uploadId: string): Promise<HeldLock | null> =>
  store.locks.tryLock(`upload ${uploadId}`)

/** As `tryHoldUpload`. @throws AppError CONFLICT when somebody has it. */
export async function holdUpload(platform: Platform, uploadId: string): Promise<HeldLock> {
  const hold = await tryHoldUpload(platform, uploadId)
  if (hold === null)
    throw new AppError(
      'CONFLICT',
      'somebody is sending bytes of this upload at this moment; stop that sender, or try again when it is done',
    )
  return hold
}
