import type { Site } from './operator.ts'

/** How a window moves over the spatial dimensions; all of it in numbers, padding as much as the output needs. */
export interface Window {
  readonly kernel: readonly number[]
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  /** Elements before and after each dimension. What of the end no window reaches is left out. */
  readonly pads: readonly (readonly [number, number])[]
  /** Padding that the node asks for, without what only ceil_mode needs. */
  readonly declared: readonly (readonly [number, number])[]
  readonly input: readonly number[]
  readonly output: readonly number[]
}

/** The window of a node. Source: onnx/defs/nn/defs.cc, convPoolShapeInference. */
export function windowOf(site: Site, kernel: readonly number[]): Window {
  const [input, output] = [site.shape(0).slice(2), site.outputShape().slice(2)]
  const strides = site.ints('strides') ?? kernel.map(() => 1)
  const dilations = site.ints('dilations') ?? kernel.map(() => 1)
  const given = site.ints('pads') ?? new Array<number>(2 * kernel.length).fill(0)
  const automatic = site.text('auto_pad') ?? 'NOTSET'
  const declared = kernel.map((size, i): readonly [number, number] => {
    if (automatic === 'VALID') return [0, 0]
    if (automatic === 'NOTSET') return [given[i]!, given[i + kernel.length]!]
    const extent = (size - 1) * dilations[i]! + 1
    const total = Math.max(0, (output[i]! - 1) * strides[i]! + extent - input[i]!)
    const less = Math.floor(total / 2)
    return automatic === 'SAME_UPPER' ? [less, total - less] : [total - less, less]
  })
  const pads = kernel.map((size, i): readonly [number, number] => {
    const extent = (size - 1) * dilations[i]! + 1
    const before = declared[i]![0]
    return [before, Math.max(0, (output[i]! - 1) * strides[i]! + extent - input[i]! - before)]
  })
  return { kernel, strides, dilations, pads, declared, input, output }
}

/** Padding of a whole tensor with its channels at the end, as tf.pad takes it. */
export const paddings = (pads: readonly (readonly [number, number])[]): [number, number][] => [
  [0, 0],
  ...pads.map(([before, after]): [number, number] => [before, after]),
  [0, 0],
]

export const isPadded = (pads: readonly (readonly [number, number])[]): boolean =>
  pads.some(([before, after]) => before > 0 || after > 0)
