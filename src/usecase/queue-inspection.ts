import type { InspectionRow, Transaction } from '../store/index.ts'
import type { Platform } from './platform.ts'

/** Has a worker compute the statistics of a new checkpoint, in the transaction that makes it visible. */
export async function queueStatistics(
  { store, clock }: Platform,
  tx: Transaction,
  checkpointId: string,
): Promise<void> {
  const { id } = await tx.inspection.create({
    data: { kind: 'STATISTICS', checkpointId, createdAt: clock() },
    select: { id: true },
  })
  await store.inspections.enqueue(tx, [id])
}

/** The comparison of two checkpoints by a worker; queued when nobody has asked for it before. */
export async function queueComparison(
  { store, clock }: Platform,
  checkpointId: string,
  otherId: string,
): Promise<InspectionRow> {
  const pair = { checkpointId_kind_otherId: { checkpointId, kind: 'COMPARISON', otherId } } as const
  return await store.prisma.$transaction(async (tx) => {
    const { count } = await tx.inspection.createMany({
      data: [{ kind: 'COMPARISON', checkpointId, otherId, createdAt: clock() }],
      skipDuplicates: true,
    })
    const row = await tx.inspection.findUniqueOrThrow({ where: pair })
    if (count > 0) await store.inspections.enqueue(tx, [row.id])
    return row
  })
}
