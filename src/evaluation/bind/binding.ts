import type { Parameter } from '../../architecture/index.ts'
import type { StateDictEntry } from './binding-report.ts'
import type { KeyMapping } from './key-mapping.ts'

/** A state_dict: its tensors by key, in file order, and what its `_metadata` says. */
export interface StateDictView {
  readonly entries: ReadonlyMap<string, StateDictEntry>
  /** Module path (`''` is the model itself) → `version` of `_metadata`; absent or empty where the file has none. */
  readonly versions?: ReadonlyMap<string, number> | undefined
  /** Keys of tensors that are kept as data only, with what they are: `a sparse tensor (torch.sparse_coo)`. */
  readonly opaque?: ReadonlyMap<string, string> | undefined
}

/** Another state_dict of the same file. */
export interface NestedStateDict extends StateDictView {
  /** `['model_state_dict']` */
  readonly path: readonly string[]
}

/** What is bound to what, and how. */
export interface Binding extends StateDictView {
  /** Class name that the message gives the model. */
  readonly className: string
  readonly parameters: readonly Parameter[]
  /** As the argument of load_state_dict: whether missing and unexpected keys are errors. */
  readonly strict: boolean
  readonly keyMapping?: KeyMapping | null | undefined
  /** State_dicts to propose when this one does not fit. */
  readonly nested?: readonly NestedStateDict[] | undefined
}
