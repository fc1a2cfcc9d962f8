import { countSamples, runSamples, type SampleOrder, type SamplePlace, type SamplesInput } from '../../usecase/index.ts'
import { AppError } from '../../error.ts'
import type { RunResolvers, SampleConnectionResolvers, SampleResolvers } from '../generated/resolvers.ts'
import { InputError } from '../input-error.ts'
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
    after: after == null ? null : placeOf(after),
  }
  const { samples, hasNext } = await runSamples(platform, input)
  const edges = samples.map((node) => ({ node, cursor: cursorOf(node.place) }))
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

/** A cursor is a place in the order: it gives access to nothing that the list would not show. */
const cursorOf = ({ value, row }: SamplePlace): string =>
  Buffer.from(JSON.stringify([value, row])).toString('base64url')

function placeOf(cursor: string): SamplePlace {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    if (Array.isArray(parsed) && parsed.length === 2) {
      const [value, row] = parsed as unknown[]
      if (typeof value === 'number' && Number.isSafeInteger(row) && (row as number) >= 0)
        return { value, row: row as number }
    }
  } catch {
    // As any other text that is no cursor.
  }
  throw new InputError(
    'BAD_INPUT',
    `${JSON.stringify(cursor.slice(0, 60))} is no cursor; give the endCursor of the page before, or leave \`after\` out`,
    ['after'],
  )
}
