import { countSamples, runSamples, type SampleOrder, type SamplePlace, type SamplesInput } from '../../usecase/index.ts'
import { AppError } from '../../error.ts'
import type { RunResolvers, SampleConnectionResolvers, SampleResolvers } from '../generated/resolvers.ts'
import { decodePlace, encodePlace } from '../order-cursor.ts'
import { pageSize } from '../page.ts'
import type { SampleConnectionRecord } from '../record.ts'

/** `Run.sampleResults`. */
export const samplesResolver: NonNullable<RunResolvers['sampleResults']> = async (
  { id },
  { first, after, filter, orderBy },
  { platform },
): Promise<SampleConnectionRecord> => {
  const input: SamplesInput = {
    runId: id,
    ...filter,
    order: orderOf(orderBy),
    first: pageSize(first),
    after: after == null ? null : placeAfter(after),
  }
  const { samples, hasNext } = await runSamples(platform, input)
  const edges = samples.map((node) => ({ node, cursor: encodePlace({ value: node.place.value, key: node.place.row }) }))
  return {
    edges,
    nodes: samples,
    pageInfo: {
      hasNextPage: hasNext,
      hasPreviousPage: input.after !== null,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
    input,
  }
}

/** A default does not keep a client from sending null, whatever the generated type says. */
const orderOf = (order: SampleOrder | null | undefined): SampleOrder => order ?? 'ROW'

/** Fields of `Sample` that are read for those who ask. */
export const sampleResolvers: SampleResolvers = {
  data: async ({ row, datasetId }, _arguments, { loaders }) => {
    const sample = await loaders.sample.load({ datasetId, row })
    if (sample === null) throw new AppError('NOT_FOUND', 'the dataset was deleted while this was read')
    return sample
  },
}

/** Counting looks at every sample again: only for those who ask. */
export const sampleConnectionResolvers: SampleConnectionResolvers = {
  totalCount: ({ input }, _arguments, { platform }) => countSamples(platform, input),
}

function placeAfter(cursor: string): SamplePlace {
  const { value, key } = decodePlace(cursor, isRow)
  return { value, row: key }
}

const isRow = (key: unknown): key is number => Number.isSafeInteger(key) && (key as number) >= 0
