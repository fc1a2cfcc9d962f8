import type { DType, Shape } from '../../tensor/index.ts'
import type { KeyMapping } from './key-mapping.ts'

/** A tensor of a state_dict, as far as binding has to know it. */
export interface StateDictEntry {
  readonly dtype: DType
  readonly shape: Shape
}

/** A parameter of the graph and where its values are. */
export interface BoundParameter {
  /** Name in the graph. */
  readonly parameter: string
  /** Key in the checkpoint, as the file has it. */
  readonly key: string
  /** Of the tensor in the checkpoint. A one-element tensor may stand for a scalar. */
  readonly found: StateDictEntry
  /** Of the parameter: load_state_dict copies into it, and a copy converts. */
  readonly expected: StateDictEntry
}

/** A tensor whose shape is not the parameter's. */
export interface SizeMismatch {
  readonly key: string
  readonly found: Shape
  readonly expected: Shape
}

/** A change of settings with which the checkpoint would bind; it was tried. */
export interface BindingProposal {
  /** Another state_dict of the same file; null for the one that was asked for. */
  readonly stateDictPath: readonly string[] | null
  readonly keyMapping: KeyMapping | null
  readonly strict: boolean
  /** For people: what to set, and what it does. */
  readonly text: string
}

/** What came of binding a state_dict to the parameters of a graph. Plain data. */
export interface BindingReport {
  /** Whether every parameter that the graph reads has values, and PyTorch would not have raised. */
  readonly ok: boolean
  /** PyTorch's text: the error that load_state_dict raises, or what it returns. */
  readonly message: string
  /** In the order of the graph's parameters. */
  readonly bound: readonly BoundParameter[]
  /** Expected keys that the state_dict lacks, in the order in which PyTorch lists them; so the next two. */
  readonly missing: readonly string[]
  readonly unexpected: readonly string[]
  readonly mismatched: readonly SizeMismatch[]
  /** Tensors that are converted to the parameter's dtype. */
  readonly casts: readonly { readonly key: string; readonly from: DType; readonly to: DType }[]
  /** Tensors that cannot be converted: of complex numbers, quantized, sparse … `dtype` says what they are, where it is no dtype. */
  readonly refused: readonly { readonly key: string; readonly dtype: string }[]
  /** Keys of one parameter, whose tensors have to be equal. Keys as the file has them. */
  readonly tied: readonly { readonly parameter: string; readonly keys: readonly string[] }[]
  /** Best first; empty when `ok`, or when nothing that was tried helps. */
  readonly proposals: readonly BindingProposal[]
}
