import type { DType, Shape } from '../tensor/index.ts'

/**
 * An architecture: an ONNX graph without weights. Parameters are named by state_dict keys; data, never code.
 * Operators, attributes and their defaults are those of the ONNX specification at `opset`.
 * Source: https://onnx.ai/onnx/operators/ and onnx.proto3.
 */
export interface Graph {
  /** Version of the default ONNX operator set. */
  readonly opset: number
  readonly inputs: readonly GraphValue[]
  readonly outputs: readonly GraphValue[]
  /** In topological order. */
  readonly nodes: readonly GraphNode[]
  /** What a checkpoint has to bring: one entry for each state_dict key that the graph uses. */
  readonly parameters: readonly Parameter[]
  /** Values that belong to the graph and not to a checkpoint: shapes, axes, small tables. */
  readonly constants: readonly Constant[]
}

/** A size that is known, or the name of one that is not: 'N' is the batch. */
export type Dimension = number | string

/** A named input or output of the graph. The first dimension is the batch. */
export interface GraphValue {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly Dimension[]
}

/** One operation. An empty input name is an omitted optional input. */
export interface GraphNode {
  readonly name: string
  readonly op: string
  /** '' is the default ONNX domain. */
  readonly domain: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: Readonly<Record<string, AttributeValue>>
}

export type AttributeValue =
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'ints'; readonly value: readonly number[] }
  | { readonly kind: 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'strings'; readonly value: readonly string[] }
  | { readonly kind: 'tensor'; readonly value: Constant }

/** A tensor that a checkpoint has to bring. */
export interface Parameter {
  /** Name inside the graph; equal to the first of `keys`. */
  readonly name: string
  /** The state_dict keys that hold it: more than one for tied weights, whose values must then be equal. */
  readonly keys: readonly string[]
  readonly dtype: DType
  readonly shape: Shape
  /**
   * True for what a checkpoint may have or lack: `num_batches_tracked` of batch normalisation, which evaluation does
   * not read. Such a parameter is part of the state_dict but no value of the graph.
   */
  readonly optional: boolean
}

/** A constant of the graph; `bytes` are little-endian and row-major. */
export interface Constant {
  readonly name: string
  readonly dtype: DType
  readonly shape: Shape
  readonly bytes: Uint8Array
}

/** Where the graph's weights come from when it is written as an ONNX model for an engine. */
export type WeightSource =
  /** A file of the folder that the engine is told of, as ONNX external data. */
  | { readonly kind: 'file'; readonly file: string; readonly offset: number; readonly length: number }
  /** The bytes themselves, in the parameter's own dtype, little-endian, row-major. */
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
