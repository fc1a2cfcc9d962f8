import { compareStateDicts, hasStatistics, needsBytes, type SharedKey } from '../statistics/index.ts'
import type { InspectionRow } from '../store/index.ts'
import { inChunks } from './in-chunks.ts'
import { loadStateDict, type StoredTensor } from './load-state-dict.ts'
import type { Platform } from './platform.ts'
import { viewHash } from './view-hash.ts'

/** A tensor whose statistics are wanted, and what they are stored under. */
export interface WantedStatistics {
  readonly viewHash: string
  readonly tensor: StoredTensor
}

/** What a worker has to compute from bytes. */
export type InspectionPlan =
  | { readonly kind: 'statistics'; readonly checkpointId: string; readonly wanted: readonly WantedStatistics[] }
  | { readonly kind: 'comparison'; readonly pairs: readonly SharedKey<StoredTensor>[] }

/** Views that are looked for in one statement. */
const VIEWS = 5000

/**
 * What is left to do for an inspection: statistics that are stored already, also by another checkpoint, are not wanted again. Null when it
 * is over or its checkpoint is gone.
 */
export async function planInspection(platform: Platform, id: string): Promise<InspectionPlan | null> {
  const { prisma } = platform.store
  const row = await prisma.inspection.findUnique({ where: { id } })
  if (row?.status !== 'PENDING') return null
  switch (row.kind) {
    case 'STATISTICS':
      return await planStatistics(platform, row.checkpointId)
    case 'COMPARISON':
      return await planComparison(platform, row)
    default:
      throw new Error(`unknown inspection ${String(row.kind satisfies never)}`)
  }
}

async function planStatistics(platform: Platform, checkpointId: string): Promise<InspectionPlan> {
  const views = await weightViews(platform, checkpointId)
  const known = await storedViews(platform, [...views.keys()])
  const wanted = [...views]
    .filter(([hash, { tensor }]) => !known.has(hash) && hasStatistics(tensor.dtype))
    .map(([hash, { tensor }]) => ({ viewHash: hash, tensor }))
  return { kind: 'statistics', checkpointId, wanted }
}

/** The weights of a checkpoint by view, each once, with the keys that name it. */
export async function weightViews(
  { store }: Platform,
  checkpointId: string,
): Promise<ReadonlyMap<string, { readonly tensor: StoredTensor; readonly keys: string[] }>> {
  const views = new Map<string, { tensor: StoredTensor; keys: string[] }>()
  for (const [key, tensor] of await loadStateDict(store.prisma, checkpointId)) {
    const hash = viewHash(tensor)
    const known = views.get(hash)
    if (known === undefined) views.set(hash, { tensor, keys: [key] })
    else known.keys.push(key)
  }
  return views
}

async function storedViews({ store }: Platform, hashes: readonly string[]): Promise<ReadonlySet<string>> {
  const found = new Set<string>()
  await inChunks(hashes, VIEWS, async (chunk) => {
    const rows = await store.prisma.tensorStatistics.findMany({
      where: { viewHash: { in: [...chunk] } },
      select: { viewHash: true },
    })
    for (const row of rows) found.add(row.viewHash)
  })
  return found
}

async function planComparison({ store }: Platform, { checkpointId, otherId }: InspectionRow): Promise<InspectionPlan> {
  const base = await loadStateDict(store.prisma, checkpointId)
  const other = await loadStateDict(store.prisma, otherId!)
  return { kind: 'comparison', pairs: compareStateDicts(base, other).shared.filter(needsBytes) }
}
