import type { z } from 'zod'
import type { DType } from '../../tensor/index.ts'
import type { AttributeValue } from '../graph.ts'

/** The value that flows from layer to layer: its name in the graph, and the shape of one sample, without the batch. */
export interface Flow {
  readonly value: string
  readonly dtype: DType
  readonly shape: readonly number[]
}

/** Where a layer writes what it compiles to. */
export interface Site {
  /** The key of a tensor of this layer: `bias` of layer 3 is `3.bias`. */
  parameter(leaf: string, shape: readonly number[]): string
  /** The optional counter of batch normalisation, which no node reads. */
  counter(leaf: string): void
  /** A constant of the graph, one for each leaf of the layer; returns its name. Its numbers are made after its size was checked. */
  constant(leaf: string, dtype: 'float32' | 'int64', shape: readonly number[], numbers: () => ArrayLike<number>): string
  /** A node of the graph; returns the name of its only output. */
  node(op: string, inputs: readonly string[], attributes?: Readonly<Record<string, AttributeValue>>): string
  /** An error that names the layer by its path and type: what was found, what was expected. */
  fail(message: string): never
}

/** A torch.nn layer: its arguments, and how it is written in ONNX operators. */
export interface Layer {
  /** The name in torch.nn. */
  readonly type: string
  /** Argument names, for messages. */
  readonly argumentNames: readonly string[]
  /**
   * Checks the arguments and compiles the layer.
   * @throws z.ZodError for arguments; AppError for a shape that does not fit.
   */
  compile(layerArguments: unknown, input: Flow, site: Site): Flow
}

/** A layer of the table. `compile` sees checked arguments with torch's defaults filled in. */
export function layer<Shape extends z.core.$ZodLooseShape>(
  type: string,
  schema: z.ZodObject<Shape, z.core.$strict>,
  compile: (layerArguments: z.output<z.ZodObject<Shape, z.core.$strict>>, input: Flow, site: Site) => Flow,
): Layer {
  return {
    type,
    argumentNames: Object.keys(schema.shape),
    compile: (layerArguments, input, site) => compile(schema.parse(layerArguments), input, site),
  }
}

/** Attribute values, as the graph holds them. Floats are float32 there. */
export const int = (value: number): AttributeValue => ({ kind: 'int', value })
export const ints = (value: readonly number[]): AttributeValue => ({ kind: 'ints', value })
export const float = (value: number): AttributeValue => ({ kind: 'float', value: Math.fround(value) })
export const text = (value: string): AttributeValue => ({ kind: 'string', value })
export const strings = (value: readonly string[]): AttributeValue => ({ kind: 'strings', value })

/** The shape of one sample as messages show it, with the batch: `[N, 16, 8, 8]`. */
export const batchText = (shape: readonly number[]): string => `[${['N', ...shape].join(', ')}]`

/**
 * Checks dtype, rank and channels of a layer's input.
 * @throws AppError ARCHITECTURE_INVALID
 */
export function expectChannels(
  site: Site,
  input: Flow,
  ranks: readonly number[],
  names: string,
  channels: number,
): void {
  expectInput(site, input, ranks, names)
  if (input.shape[0] !== channels)
    site.fail(`expects ${channels} channels, the layer before gives ${batchText(input.shape)}`)
}

/**
 * Checks dtype and rank of a layer's input.
 * @throws AppError ARCHITECTURE_INVALID
 */
export function expectInput(site: Site, input: Flow, ranks: readonly number[], names: string): void {
  if (input.dtype !== 'float32') site.fail(`expects float32, the layer before gives ${input.dtype}`)
  if (!ranks.includes(input.shape.length))
    site.fail(`expects ${names} for a batch, the layer before gives ${batchText(input.shape)}`)
}
