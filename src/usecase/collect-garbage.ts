import { AppError } from '../error.ts'
import type { SweepReport } from '../store/index.ts'
import type { Platform } from './platform.ts'

/** What to remove. */
export interface CollectGarbageInput {
  /** Seconds since bytes were put last, from which they may be removed; a day by default. */
  readonly graceSeconds?: number | null | undefined
}

/** Seconds that one call takes at most, about: clients and proxies do not wait for ever. */
const UNTIL_MS = 20_000

/**
 * Removes bytes that no checkpoint and no dataset refers to, now. A grace of none is safe: an import under way whose bytes are taken
 * notices that in its last transaction, and puts them again (`nameStorages`); it costs that import time, and nothing else.
 * @throws AppError BAD_INPUT.
 */
export async function collectGarbage({ store, log }: Platform, input: CollectGarbageInput): Promise<SweepReport> {
  const { graceSeconds } = input
  if (graceSeconds != null && !(Number.isSafeInteger(graceSeconds) && graceSeconds >= 0))
    throw new AppError('BAD_INPUT', `the grace is ${graceSeconds}; a whole number of seconds from 0 is expected`)
  const report = await store.bytes.sweep({
    untilMs: UNTIL_MS,
    ...(graceSeconds == null ? {} : { graceMs: graceSeconds * 1000 }),
  })
  log.info({ graceSeconds, ...report }, 'garbage was collected')
  return report
}
