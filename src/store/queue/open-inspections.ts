import { CHANNELS } from '../listener.ts'
import { INSPECTION_QUEUE, overTransaction } from './boss.ts'
import type { InspectionQueue } from './inspection-queue.ts'
import { watchInspections } from './watch-inspections.ts'
import { workOnInspections } from './work-on-inspections.ts'
import type { WorkContext } from './work.ts'

/** The queue of inspections over the connections of the shards' queue. */
export function openInspections(context: WorkContext): InspectionQueue {
  return {
    enqueue: async (tx, ids) => {
      if (ids.length === 0) return
      // Only the id: the row says the rest.
      await context.boss.insert(
        INSPECTION_QUEUE,
        ids.map((id) => ({ id, data: { id } })),
        { db: overTransaction(tx) },
      )
      await tx.$executeRaw`select pg_notify(${CHANNELS.inspectionReady}, '')`
    },
    work: (options) => workOnInspections(context, options),
    watch: (options) => watchInspections(context, options),
  }
}
