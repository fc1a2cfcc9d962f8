import { add, dimensionOf, divideDown, multiply, subtract, type Size } from '../size.ts'
import type { NodeContext } from './operator.ts'

/** How a window moves over the spatial dimensions. Source: onnx/defs/nn/defs.cc, convPoolShapeInference. */
export interface Window {
  readonly kernel: readonly number[]
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  /** Begin of each dimension, then end of each. */
  readonly pads: readonly number[]
  readonly autoPad: string
  readonly ceil: boolean
}

/** The window that a node's attributes describe, over `rank` spatial dimensions. */
export function windowOf(node: NodeContext, rank: number, kernel: readonly number[]): Window {
  const window = {
    kernel,
    strides: node.ints('strides') ?? new Array<number>(rank).fill(1),
    dilations: node.ints('dilations') ?? new Array<number>(rank).fill(1),
    pads: node.ints('pads') ?? new Array<number>(2 * rank).fill(0),
    autoPad: node.text('auto_pad') ?? 'NOTSET',
    ceil: (node.int('ceil_mode') ?? 0) !== 0,
  }
  const { strides, dilations, pads } = window
  if (kernel.length !== rank || strides.length !== rank || dilations.length !== rank || pads.length !== 2 * rank)
    node.fail(`its kernel, strides, dilations and pads are not those of ${rank} spatial dimensions`)
  if ([...kernel, ...strides, ...dilations].some((size) => size < 1) || pads.some((pad) => pad < 0))
    node.fail('kernel, strides and dilations have to be positive, and pads not negative')
  return window
}

/** Sizes of the spatial dimensions after the window moved over them. */
export function windowSizes(node: NodeContext, sizes: readonly Size[], window: Window): readonly Size[] {
  return sizes.map((size, axis) => windowSize(node, size, axis, window))
}

function windowSize(node: NodeContext, size: Size, axis: number, window: Window): Size {
  const stride = window.strides[axis]!
  const extent = (window.kernel[axis]! - 1) * window.dilations[axis]! + 1
  switch (window.autoPad) {
    case 'SAME_UPPER':
    case 'SAME_LOWER':
      return divideDown(add(size, stride - 1), stride)
    case 'NOTSET':
    case 'VALID':
      break
    default:
      node.fail(`auto_pad "${window.autoPad}" is none of NOTSET, VALID, SAME_UPPER, SAME_LOWER`)
  }
  const begin = window.autoPad === 'VALID' ? 0 : window.pads[axis]!
  const end = window.autoPad === 'VALID' ? 0 : window.pads[axis + window.kernel.length]!
  const room = add(size, begin + end - extent)
  if (typeof room === 'number' && room < 0)
    node.fail(
      `its kernel covers ${extent} positions, but its input has ${dimensionOf(size)}` +
        (begin + end > 0 ? ` and ${begin + end} of padding` : ''),
    )
  const count = add(divideDown(window.ceil ? add(room, stride - 1) : room, stride), 1)
  // A last window that starts in the padding after the input is left out, as PyTorch does.
  const starts = multiply(subtract(count, 1), stride)
  return window.ceil && typeof starts === 'number' && typeof size === 'number' && starts >= size + begin
    ? subtract(count, 1)
    : count
}
