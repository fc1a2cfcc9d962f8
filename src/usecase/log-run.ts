import type { Platform } from './platform.ts'
import { lockActiveRun } from './run-lock.ts'

/** How much a line of a run's log matters. */
export type LogLevel = 'info' | 'warning' | 'error'

/** Writes lines to a run's log, in order; nothing when it has ended. */
export async function logRun(
  { store }: Platform,
  runId: string,
  lines: readonly { readonly level: LogLevel; readonly message: string }[],
): Promise<void> {
  if (lines.length === 0) return
  await store.prisma.$transaction(async (tx) => {
    if (!(await lockActiveRun(tx, runId))) return
    for (const { level, message } of lines) await store.events.append(tx, runId, 'LOG', { level, message })
  })
}
