import type { GraphNode } from '../../../architecture/index.ts'
import type { DType } from '../../../tensor/index.ts'
import type { Epilogue } from '../epilogue.ts'
import type { Layout } from '../layout.ts'
import type { Tf, TfTensor } from '../library.ts'

/** What a computation reads: a value of the run in a layout, or a tensor that is there before. */
export type Operand =
  | { readonly kind: 'value'; readonly name: string; readonly layout: Layout; readonly rank: number }
  | { readonly kind: 'bound'; readonly tensor: TfTensor }

/** A node for known shapes. */
export interface Compiled {
  readonly operands: readonly Operand[]
  /** Of the outputs; as in the graph unless it is given. */
  readonly layout?: Layout
  /** One tensor, or one for each output of the node. Everything else that it makes is disposed by the caller. */
  readonly compute: (...tensors: readonly TfTensor[]) => TfTensor | readonly TfTensor[]
}

/** A node as its operator sees it: all shapes are numbers. Shapes and axes are those of the graph, whatever the layout. */
export interface Site {
  readonly tf: Tf
  readonly node: GraphNode
  /** Version of the default operator set. */
  readonly opset: number
  /** What of the nodes after this one is computed with it. */
  readonly epilogue: Epilogue
  readonly inputCount: number
  readonly outputCount: number
  /** Whether an optional input is given. */
  has(input: number): boolean
  shape(input: number): readonly number[]
  dtype(input: number): DType
  outputShape(output?: number): readonly number[]
  outputDType(output?: number): DType
  /** Whether an input is known before the graph runs: a parameter, a constant, or computed from those and from shapes. */
  isBound(input: number): boolean
  /** The layout in which a value is there already. */
  layout(input: number): Layout
  /** An input as an operand; with a rank, the shape gets ones in front first. */
  take(input: number, layout?: Layout, rank?: number): Operand
  /** A tensor that is computed once from bound values. */
  bind(purpose: string, make: (value: (name: number | string) => TfTensor) => TfTensor): Operand
  /** The elements of a bound input; undefined when it is omitted, or not bound. */
  elements(input: number): readonly number[] | undefined
  /** @throws AppError ARCHITECTURE_UNSUPPORTED_OPERATOR when it is given, but only known when the graph runs. */
  known(input: number): readonly number[] | undefined
  int(name: string): number | undefined
  float(name: string, otherwise: number): number
  ints(name: string): readonly number[] | undefined
  text(name: string): string | undefined
  texts(name: string): readonly string[] | undefined
  /** An axis of the first input, counted from the start. */
  axis(axis: number, rank?: number): number
  /** @throws AppError ARCHITECTURE_UNSUPPORTED_OPERATOR that names the node. */
  refuse(message: string): never
}

/** One operator of the ONNX operator set, on TensorFlow.js. */
export interface Operator {
  readonly name: string
  /** True when its result depends on shapes alone, so that nothing is left to compute when the graph runs. */
  readonly fromShapes?: boolean
  compile(site: Site): Compiled
}
