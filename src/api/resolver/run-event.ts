import type { RunEventResolvers, RunProgress } from '../generated/resolvers.ts'
import { required } from './required.ts'

/** Fields of `RunEvent`. */
export const runEventResolvers: RunEventResolvers = {
  seq: ({ item }) => item.seq,
  kind: ({ item }) => item.kind,
  at: ({ item }) => item.at,
  status: ({ item }) => item.status,
  progress: ({ item }) => item.progress as RunProgress | null,
  log: ({ item }) => (item.log === null ? null : { createdAt: item.at, payload: item.log }),
  run: ({ runId }, _arguments, { loaders }) => required(loaders.run, runId),
}
