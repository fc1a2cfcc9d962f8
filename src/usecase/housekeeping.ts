import type { Platform } from './platform.ts'
import { watchRuns } from './watch-runs.ts'
import { sweepUploads } from './sweep-uploads.ts'

/** Milliseconds between two rounds. */
const INTERVAL_MS = 10 * 60_000

/**
 * Removes now, and then from time to time, what is left of uploads that nobody imported and of imports that died: spool files and bytes in
 * the database. And watches over the runs: shards of dead workers go to others, or their run ends. Dispose it to stop.
 */
export function startHousekeeping(platform: Platform, intervalMs = INTERVAL_MS): AsyncDisposable {
  const { store, log } = platform
  let stopped = false
  let timer: NodeJS.Timeout | undefined
  const round = async () => {
    try {
      const uploads = await sweepUploads(platform)
      const storages = await store.bytes.sweep()
      if (uploads.expired + uploads.orphans + storages.storages > 0) log.info({ uploads, storages }, 'leftovers were removed')
    } catch (error) {
      log.warn({ err: error }, 'leftovers could not be removed; they are looked at again later')
    }
    if (stopped) return
    timer = setTimeout(() => (running = round()), intervalMs)
    timer.unref()
  }
  let running = round()
  const watch = watchRuns(platform)
  return {
    async [Symbol.asyncDispose]() {
      stopped = true
      clearTimeout(timer)
      await watch[Symbol.asyncDispose]()
      await running
    },
  }
}
