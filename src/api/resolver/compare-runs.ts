import { changedSamples, compareOutcomes, loadRunPairs, metricDifferences } from '../../usecase/index.ts'
import type { QueryResolvers, RunDifferenceResolvers } from '../generated/resolvers.ts'
import { decodeId } from '../object-id.ts'
import { pageSize } from '../page.ts'
import { required } from './required.ts'

/** `Query.compareRuns`. */
export const compareRunsResolver: NonNullable<QueryResolvers['compareRuns']> = async (
  _root,
  { ids },
  { platform, loaders },
) => {
  const runIds = ids.map((id, i) => decodeId('Run', id, ['ids', String(i)]))
  const others = await loadRunPairs(platform, runIds)
  return { base: await required(loaders.run, runIds[0]!), others }
}

/** A bootstrap takes seconds. */
const BOOTSTRAP_MS = 120_000

/** Fields of `RunDifference`; its parent is the pair. Each takes work of its own. */
export const runDifferenceResolvers: RunDifferenceResolvers = {
  run: ({ other }, _arguments, { loaders }) => required(loaders.run, other.id),
  metrics: (pair, { names }, { platform }) =>
    metricDifferences(platform, pair, names ?? null, AbortSignal.timeout(BOOTSTRAP_MS)),
  mcNemar: (pair, _arguments, { platform }) => compareOutcomes(platform, pair),
  changes: (pair, { change, first, afterRow }, { platform }) =>
    changedSamples(platform, pair, { change, first: pageSize(first), afterRow: afterRow ?? null }),
}
