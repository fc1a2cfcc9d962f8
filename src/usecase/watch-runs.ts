import { loseShard } from './lose-shard.ts'
import type { Platform } from './platform.ts'

/**
 * Looks for shards of dead workers and gives them to others; ends the run when no retry is left. Any number of processes may watch.
 * Dispose it to stop.
 */
export const watchRuns = (platform: Platform): AsyncDisposable =>
  platform.store.queue.watch({ onLost: (lost) => loseShard(platform, lost) })
