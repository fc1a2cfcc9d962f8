import type { PrismaClient } from '../../store/index.ts'
import type { QueryResolvers, RunConnectionResolvers, RunFilter, RunOrder } from '../generated/resolvers.ts'
import { RUN_OMIT, WHOLE_METRICS } from '../loader/index.ts'
import { decodeId } from '../object-id.ts'
import { decodePlace, encodePlace } from '../order-cursor.ts'
import { connection, pageRequest, pageSize, type PageArguments } from '../page.ts'
import type { RunConnectionRecord } from '../record.ts'
import { nameContains } from './name-contains.ts'
import { readPage } from './read-page.ts'

/** `Query.runs`. */
export const runsResolver: NonNullable<QueryResolvers['runs']> = async (
  _root,
  { filter, orderBy, ...page },
  { platform: { store } },
): Promise<RunConnectionRecord> => {
  const where = runsWhere(filter ?? {})
  if (orderBy != null) return await orderedRuns(store.prisma, where, orderBy, page)
  const found = await readPage(pageRequest('Run', page), ({ where: range, ...rest }) =>
    store.prisma.run.findMany({ ...rest, where: { AND: [where, range] }, omit: RUN_OMIT }),
  )
  return { ...connection('Run', found), where }
}

/** Counting looks at every run: only for those who ask. */
export const runConnectionResolvers: RunConnectionResolvers = {
  totalCount: ({ where }, _arguments, { platform }) => platform.store.prisma.run.count({ where }),
}

type RunsWhere = RunConnectionRecord['where']

function runsWhere({ modelId, checkpointId, datasetId, status, name }: RunFilter): RunsWhere {
  return {
    ...(modelId == null ? {} : { modelId: decodeId('Model', modelId, ['filter', 'modelId']) }),
    ...(checkpointId == null ? {} : { checkpointId: decodeId('Checkpoint', checkpointId, ['filter', 'checkpointId']) }),
    ...(datasetId == null ? {} : { datasetId: decodeId('Dataset', datasetId, ['filter', 'datasetId']) }),
    ...(status == null ? {} : { status: { in: [...status] } }),
    ...nameContains(name),
  }
}

async function orderedRuns(
  prisma: PrismaClient,
  where: RunsWhere,
  { metric, direction }: RunOrder,
  page: PageArguments,
): Promise<RunConnectionRecord> {
  const first = pageSize(page.first)
  const order = direction === 'ASC' ? 'asc' : 'desc'
  const beyond = order === 'asc' ? 'gt' : 'lt'
  const after = page.after == null ? null : decodePlace(page.after, isUuid)
  const whole = { ...WHOLE_METRICS, name: metric, value: { not: null } }
  const rows = await prisma.metric.findMany({
    where: {
      ...whole,
      run: where,
      ...(after === null
        ? {}
        : {
            AND: [
              // Says nothing that the second does not, but an index can begin there.
              { value: { [beyond === 'gt' ? 'gte' : 'lte']: after.value } },
              { OR: [{ value: { [beyond]: after.value } }, { runId: { [beyond]: after.key } }] },
            ],
          }),
    },
    orderBy: [{ value: order }, { runId: order }],
    take: first + 1,
    select: { value: true, run: { omit: RUN_OMIT } },
  })
  const edges = rows
    .slice(0, first)
    .map(({ value, run }) => ({ node: run, cursor: encodePlace({ value: value!, key: run.id }) }))
  return {
    edges,
    nodes: edges.map(({ node }) => node),
    pageInfo: {
      hasNextPage: rows.length > first,
      hasPreviousPage: after !== null,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
    where: { AND: [where, { metrics: { some: whole } }] },
  }
}

const isUuid = (key: unknown): key is string =>
  typeof key === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(key)
