import { notFiniteText, type TensorDistance, type TensorStatistics } from '../statistics/index.ts'
import type { InspectionJob, LostInspection, Prisma } from '../store/index.ts'
import { inChunks } from './in-chunks.ts'
import { weightViews } from './inspection-plan.ts'
import type { Platform } from './platform.ts'
import { statisticsJson, statisticsOf } from './statistics-json.ts'

/** Statistics of a view that were computed. */
export interface ComputedStatistics {
  readonly viewHash: string
  readonly storageHash: string
  readonly statistics: TensorStatistics
}

/** Rows of one statement. */
const ROWS = 1000
/** Keys that a warning names. */
const NAMED = 10

/** Stores statistics by content. Two workers that come to the same write the same. */
export async function storeStatistics({ store }: Platform, computed: readonly ComputedStatistics[]): Promise<void> {
  await inChunks(computed, ROWS, (chunk) =>
    store.prisma.tensorStatistics.createMany({
      data: chunk.map(({ viewHash, storageHash, statistics }) => ({
        viewHash,
        storageHash,
        value: statisticsJson(statistics),
      })),
      skipDuplicates: true,
    }),
  )
}

/** Ends the inspection of a checkpoint whose statistics are all stored; weights that are not finite become a warning of it. */
export async function finishStatistics(platform: Platform, checkpointId: string, job: InspectionJob): Promise<void> {
  const warning = await notFiniteWarning(platform, checkpointId)
  await platform.store.prisma.$transaction(async (tx) => {
    if (!(await job.complete(tx))) return
    const { count } = await tx.inspection.updateMany({
      where: { id: job.id, status: 'PENDING' },
      data: { status: 'READY', finishedAt: platform.clock() },
    })
    if (count > 0 && warning !== null)
      await tx.checkpoint.updateMany({ where: { id: checkpointId }, data: { warnings: { push: warning } } })
  })
}

/** Ends a comparison. */
export async function finishComparison(
  platform: Platform,
  distances: ReadonlyMap<string, TensorDistance>,
  job: InspectionJob,
): Promise<void> {
  await platform.store.prisma.$transaction(async (tx) => {
    if (!(await job.complete(tx))) return
    await tx.inspection.updateMany({
      where: { id: job.id, status: 'PENDING' },
      data: {
        status: 'READY',
        finishedAt: platform.clock(),
        result: Object.fromEntries(distances) as unknown as Prisma.InputJsonObject,
      },
    })
  })
}

/** Ends an inspection that cannot be finished, and says why. */
export async function failInspection(
  { store, clock }: Platform,
  { id, code, message }: Omit<LostInspection, 'code'> & { readonly code: string },
): Promise<void> {
  await store.prisma.inspection.updateMany({
    where: { id, status: 'PENDING' },
    data: { status: 'FAILED', errorCode: code, errorMessage: message, finishedAt: clock() },
  })
}

async function notFiniteWarning(platform: Platform, checkpointId: string): Promise<string | null> {
  const views = await weightViews(platform, checkpointId)
  const found: string[] = []
  let tensors = 0
  await inChunks([...views.keys()], ROWS, async (chunk) => {
    const rows = await platform.store.prisma.tensorStatistics.findMany({ where: { viewHash: { in: [...chunk] } } })
    const byHash = new Map(rows.map(({ viewHash, value }) => [viewHash, statisticsOf(value)]))
    for (const hash of chunk) {
      const statistics = byHash.get(hash)
      const text = statistics === undefined ? null : notFiniteText(statistics)
      if (text === null) continue
      const { keys } = views.get(hash)!
      tensors += keys.length
      if (found.length < NAMED) found.push(`${keys.join(' and ')} (${text})`)
    }
  })
  if (tensors === 0) return null
  const more = tensors > found.length && found.length === NAMED ? ', …' : ''
  return (
    `weights are not finite in ${tensors} ${tensors === 1 ? 'tensor' : 'tensors'}: ${found.join(', ')}${more}. ` +
    'A run on this checkpoint will most likely fail with LOGITS_NOT_FINITE.'
  )
}
