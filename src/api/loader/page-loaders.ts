import DataLoader from 'dataloader'
import type { PrismaClient } from '../../store/index.ts'
import type { Page, PageRequest } from '../page.ts'
import type { CheckpointRecord, RowLoaders, RunRecord } from './row-loaders.ts'

/** A page of what belongs to one row. */
export interface ChildPageRequest extends PageRequest {
  /** UUID of the row. */
  readonly parent: string
}

/** Pages inside lists: one statement finds the ids of all pages that are asked for at a time, and one their rows. */
export interface PageLoaders {
  readonly checkpointsOfModel: DataLoader<ChildPageRequest, Page<CheckpointRecord>, string>
  readonly runsOfModel: DataLoader<ChildPageRequest, Page<RunRecord>, string>
  readonly runsOfCheckpoint: DataLoader<ChildPageRequest, Page<RunRecord>, string>
  readonly runsOfDataset: DataLoader<ChildPageRequest, Page<RunRecord>, string>
}

/** Loaders of pages; the rows come from, and go into, the memory of `rows`. */
export function pageLoaders(prisma: PrismaClient, rows: RowLoaders): PageLoaders {
  return {
    checkpointsOfModel: childPages(prisma, 'Checkpoint', 'modelId', rows.checkpoint),
    runsOfModel: childPages(prisma, 'Run', 'modelId', rows.run),
    runsOfCheckpoint: childPages(prisma, 'Run', 'checkpointId', rows.run),
    runsOfDataset: childPages(prisma, 'Run', 'datasetId', rows.run),
  }
}

/** Every id is smaller. */
const LAST_UUID = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

interface IdsOfPage {
  readonly at: number
  readonly ids: readonly string[]
  readonly hasPrevious: boolean
}

function childPages<Row>(
  prisma: PrismaClient,
  table: 'Checkpoint' | 'Run',
  parentColumn: 'modelId' | 'checkpointId' | 'datasetId',
  rows: DataLoader<string, Row | null>,
): DataLoader<ChildPageRequest, Page<Row>, string> {
  // Each page is an index scan of (parent, id) that ends after `first` + 1 rows.
  const sql = `
    select wanted.at::int as at,
           array(
             select child.id from "${table}" child
             where child."${parentColumn}" = wanted.parent and child.id < wanted.after
             order by child.id desc limit wanted.first + 1
           ) as ids,
           exists(
             select from "${table}" child where child."${parentColumn}" = wanted.parent and child.id >= wanted.after
           ) as "hasPrevious"
    from unnest($1::uuid[], $2::uuid[], $3::int[]) with ordinality as wanted(parent, after, first, at)`

  return new DataLoader<ChildPageRequest, Page<Row>, string>(
    async (requests) => {
      const found = await prisma.$queryRawUnsafe<IdsOfPage[]>(
        sql,
        requests.map(({ parent }) => parent),
        requests.map(({ after }) => after ?? LAST_UUID),
        requests.map(({ first }) => first),
      )
      const pages = new Map(found.map((page) => [page.at - 1, page]))
      return Promise.all(
        requests.map(async ({ first }, at): Promise<Page<Row>> => {
          const { ids, hasPrevious } = pages.get(at)!
          const loaded = await Promise.all(ids.slice(0, first).map((id) => rows.load(id)))
          // A row that was deleted between the two statements is left out.
          return { rows: loaded.filter((row) => row !== null), hasNext: ids.length > first, hasPrevious }
        }),
      )
    },
    { cacheKeyFn: ({ parent, first, after }) => `${parent} ${first} ${after ?? ''}` },
  )
}
