import type { Engine } from '../engine/index.ts'
import type { Platform } from '../usecase/index.ts'
import type { BlobCache } from './blob-cache/index.ts'
import type { SessionCache } from './session-cache.ts'

/** What a worker evaluates with. */
export interface Workbench {
  readonly platform: Platform
  readonly engines: readonly Engine[]
  readonly blobs: BlobCache
  readonly sessions: SessionCache
  /** Threads inside one operation. */
  readonly threads: number
}
