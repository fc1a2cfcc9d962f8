import type { BindingProposalResolvers, BindingReportResolvers } from '../generated/resolvers.ts'

/** Fields of `BindingReport`, whose names here are PyTorch's. */
export const bindingReportResolvers: BindingReportResolvers = {
  missingKeys: ({ missing }) => missing,
  unexpectedKeys: ({ unexpected }) => unexpected,
  sizeMismatches: ({ mismatched }) => mismatched,
}

/** Fields of `BindingProposal`, in the words that `startRun` and `createCheckpoint` take. */
export const bindingProposalResolvers: BindingProposalResolvers = {
  description: ({ text }) => text,
  stripPrefix: ({ keyMapping }) => keyMapping?.stripPrefix ?? null,
  renamePrefixes: ({ keyMapping }) => keyMapping?.renamePrefixes ?? [],
  addPrefix: ({ keyMapping }) => keyMapping?.addPrefix ?? null,
}
