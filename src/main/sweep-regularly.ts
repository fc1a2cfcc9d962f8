import { sweepUploads, type Platform } from '../usecase/index.ts'

/** The first sweep waits for the start to be over. */
const FIRST_MS = 30_000
const EVERY_MS = 3600_000

/** Removes, every hour, uploads that nobody imported and bytes that nothing names any more. Safe in several processes at once. */
export function sweepRegularly(platform: Platform): AsyncDisposable {
  const { store, log } = platform
  let running: Promise<void> = Promise.resolve()
  const sweep = async (): Promise<void> => {
    try {
      const uploads = await sweepUploads(platform)
      const storages = await store.bytes.sweep()
      const predictions = await store.predictions.sweep()
      log.info({ uploads, storages, predictions }, 'swept')
    } catch (error) {
      log.error({ err: error }, 'sweeping failed; it is tried again in an hour')
    }
  }
  const run = (): void => void (running = running.then(sweep))
  const first = setTimeout(run, FIRST_MS)
  const timer = setInterval(run, EVERY_MS)
  first.unref()
  timer.unref()
  return {
    [Symbol.asyncDispose]: () => {
      clearTimeout(first)
      clearInterval(timer)
      return running
    },
  }
}
