import type { Logger } from 'pino'
import type { Store } from '../store/index.ts'
import type { PlatformLimits } from './limits.ts'

/** What every use case works with. Made once by the composition root and passed down. */
export interface Platform {
  readonly store: Store
  /** Folder in which uploads wait to be imported. One server's own. */
  readonly spoolDir: string
  readonly log: Logger
  readonly clock: () => Date
  /** Folder of the compiled programs that threads run. */
  readonly programs: URL
  readonly limits: PlatformLimits
}
