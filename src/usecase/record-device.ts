import type { ShardClaim } from './claim-shard.ts'
import type { LogLevel } from './log-level.ts'
import type { Platform } from './platform.ts'
import { holdsClaim } from './shard-fence.ts'

/** What a run is executed on. */
export interface UsedDevice {
  readonly device: string
  readonly engine: string
  readonly engineVersion: string
  /** Why this device and this engine. */
  readonly choice: string
}

/** Writes what a run is executed on, and lines about it to its log. False when the claim counts no more. */
export async function recordDevice(
  { store }: Platform,
  claim: ShardClaim,
  used: UsedDevice,
  lines: readonly { readonly level: LogLevel; readonly message: string }[],
): Promise<boolean> {
  const runId = claim.run.id
  return await store.prisma.$transaction(async (tx) => {
    if (!(await holdsClaim(tx, claim))) return false
    await tx.run.update({
      where: { id: runId },
      data: {
        usedDevice: used.device,
        usedEngine: used.engine,
        engineVersion: used.engineVersion,
        engineChoice: used.choice,
      },
    })
    for (const { level, message } of lines) await store.events.append(tx, runId, 'LOG', { level, message })
    return true
  })
}
