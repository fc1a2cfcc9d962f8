import { loseShard } from './lose-shard.ts'
import type { Platform } from './platform.ts'
import { requeueShard } from './requeue-shard.ts'

/**
 * Looks for shards of dead workers and gives them to others; ends the run when no retry is left. Any number of processes may watch.
 * Dispose it to stop.
 */
export const watchRuns = (platform: Platform): AsyncDisposable =>
  platform.store.queue.watch({
    onFreed: (freed) => requeueShard(platform, freed),
    onLost: (lost) => loseShard(platform, lost),
  })
