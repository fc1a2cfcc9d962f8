export { bindStateDict, requireBound } from './bind-state-dict.ts'
export type { Binding, NestedStateDict, StateDictView } from './binding.ts'
export type { BindingProposal, BindingReport, BoundParameter, SizeMismatch, StateDictEntry } from './binding-report.ts'
export { applyKeyMapping, mapKey, type KeyMapping, type PrefixRename } from './key-mapping.ts'
