import { setTimeout as sleep } from 'node:timers/promises'
import type { Locker } from '@tus/server'
import { tryHoldUpload, type Platform } from '../../../usecase/index.ts'
import { AppError } from '../../../error.ts'
import { decodeId } from '../../object-id.ts'

/** How long a request waits for the one before it on the same upload, which may be about to notice that its client is gone. */
const WAIT_MS = 2_000
const LOOK_MS = 50
/** A request that got no byte for so long gives way to another one: its client has most likely lost the connection. */
const STALLED_MS = 5_000

/** A request that holds an upload. */
interface Holder {
  heardAt: number
  readonly release: () => void
}

/** Locks of uploads for the tus server, which hold across processes. */
export interface TusLocker extends Locker {
  /** A byte of this upload has come. */
  heard(uploadId: string): void
  /** Asks the request that holds an upload to end. */
  release(uploadId: string): void
  /** Asks all of them. */
  releaseAll(): void
}

/** The upload is taken by another request. */
export class UploadIsTaken extends AppError {
  constructor() {
    super('CONFLICT', 'another client is sending bytes of this upload at this moment; try again when it is done')
  }
}

/** One upload, one request at a time; a second one waits a little and is refused. */
export function tusLocker(platform: Platform): TusLocker {
  const holders = new Map<string, Holder>()
  return {
    heard: (id) => {
      const holder = holders.get(id)
      if (holder !== undefined) holder.heardAt = Date.now()
    },
    release: (id) => holders.get(id)?.release(),
    releaseAll: () => {
      for (const holder of holders.values()) holder.release()
    },
    newLock(id) {
      const uploadId = decodeId('Upload', id)
      let unlock = (): Promise<void> => Promise.resolve()
      return {
        lock: async (signal, requestRelease) => {
          const deadline = Date.now() + WAIT_MS
          for (;;) {
            const hold = await tryHoldUpload(platform, uploadId)
            if (hold !== null) {
              // `requestRelease` is asynchronous by its type only.
              const release = (): void => void requestRelease()
              hold.lost.addEventListener('abort', release, { once: true })
              holders.set(uploadId, { heardAt: Date.now(), release })
              unlock = async () => {
                holders.delete(uploadId)
                hold.lost.removeEventListener('abort', release)
                await hold[Symbol.asyncDispose]()
              }
              return
            }
            const holder = holders.get(uploadId)
            if (holder !== undefined && Date.now() - holder.heardAt > STALLED_MS) holder.release()
            if (signal.aborted || Date.now() > deadline) throw new UploadIsTaken()
            await sleep(LOOK_MS)
          }
        },
        unlock: () => unlock(),
      }
    },
  }
}
