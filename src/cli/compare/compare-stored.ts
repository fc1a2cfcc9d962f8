import { setTimeout as delay } from 'node:timers/promises'
import { CliFailure } from '../failure.ts'
import type { PlatformClient } from '../platform-client.ts'
import type { ComparisonReport } from './comparison-report.ts'
import { COMPARE_CHECKPOINTS, type ComparedCheckpoints } from './documents.ts'

const POLL_MS = 500

/**
 * Compares two checkpoints of a platform, and waits for its worker.
 * @throws CliFailure with the platform's code.
 */
export async function compareStored(
  client: PlatformClient,
  ids: readonly [string, string],
  signal: AbortSignal,
): Promise<ComparisonReport> {
  for (;;) {
    const { compareCheckpoints } = await client.query<ComparedCheckpoints>(COMPARE_CHECKPOINTS, { ids }, signal)
    const { status, error, ...report } = compareCheckpoints
    if (status === 'FAILED') throw new CliFailure(error?.code ?? 'INTERNAL', error?.message ?? 'the comparison failed')
    if (status === 'READY') return { base: ids[0], other: ids[1], ...report }
    await delay(POLL_MS, null, { signal })
  }
}
