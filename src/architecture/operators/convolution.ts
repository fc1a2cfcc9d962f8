import { add, dimensionOf, multiply, sameSize, shapeText, type Size } from '../size.ts'
import { sameDType } from './broadcast.ts'
import type { NodeContext, Operator } from './operator.ts'
import { windowOf, windowSizes } from './window.ts'

const ATTRIBUTES = {
  auto_pad: 'string',
  dilations: 'ints',
  group: 'int',
  kernel_shape: 'ints',
  pads: 'ints',
  strides: 'ints',
} as const

/** Input, weight and the window's kernel of a convolution, checked against each other. */
function operands(node: NodeContext) {
  const [input, weight] = [node.input(0), node.input(1)]
  sameDType(node, [input, weight, ...(node.inputs[2] ? [node.inputs[2]] : [])])
  const rank = input.shape.length - 2
  if (rank < 1) node.fail(`expects [batch, channels, …], found ${shapeText(input.shape)}`)
  if (weight.shape.length !== rank + 2)
    node.fail(`its weight ${shapeText(weight.shape)} does not have the ${rank + 2} dimensions of its input`)
  const kernel = weight.shape
    .slice(2)
    .map((size) => (typeof size === 'number' ? size : node.fail('its kernel is open')))
  const declared = node.ints('kernel_shape')
  if (declared && declared.join() !== kernel.join())
    node.fail(`kernel_shape [${declared.join(', ')}] is not that of its weight ${shapeText(weight.shape)}`)
  return { input, weight, kernel, group: node.int('group') ?? 1, window: windowOf(node, rank, kernel) }
}

function checkBias(node: NodeContext, channels: Size): void {
  const bias = node.inputs[2]
  if (bias && !(bias.shape.length === 1 && sameSize(bias.shape[0]!, channels)))
    node.fail(`its bias is ${shapeText(bias.shape)}, but it gives ${dimensionOf(channels)} channels`)
}

const conv: Operator = {
  name: 'Conv',
  inputs: [2, 3],
  outputs: [1, 1],
  attributes: ATTRIBUTES,
  infer: (node) => {
    const { input, weight, group, window } = operands(node)
    const [batch, channels, ...spatial] = input.shape
    const expected = multiply(weight.shape[1]!, group)
    if (!sameSize(channels!, expected))
      node.fail(`expects ${dimensionOf(expected)} channels, the input is ${shapeText(input.shape)}`)
    checkBias(node, weight.shape[0]!)
    return [{ dtype: input.dtype, shape: [batch!, weight.shape[0]!, ...windowSizes(node, spatial, window)] }]
  },
}

const convTranspose: Operator = {
  name: 'ConvTranspose',
  inputs: [2, 3],
  outputs: [1, 1],
  attributes: { ...ATTRIBUTES, output_padding: 'ints', output_shape: 'ints' },
  infer: (node) => {
    const { input, weight, kernel, group, window } = operands(node)
    const [batch, channels, ...spatial] = input.shape
    if (!sameSize(channels!, weight.shape[0]!))
      node.fail(`expects ${dimensionOf(weight.shape[0]!)} channels, the input is ${shapeText(input.shape)}`)
    const given = node.ints('output_shape')
    const extra = node.ints('output_padding') ?? kernel.map(() => 0)
    const sizes = spatial.map((size, axis): Size => {
      const stride = window.strides[axis]!
      if (given) return given[axis - spatial.length + given.length] ?? node.fail('output_shape is too short')
      if (window.autoPad.startsWith('SAME')) return multiply(size, stride)
      const padding = window.autoPad === 'VALID' ? 0 : window.pads[axis]! + window.pads[axis + kernel.length]!
      const extent = (kernel[axis]! - 1) * window.dilations[axis]! + 1
      return add(multiply(add(size, -1), stride), (extra[axis] ?? 0) + extent - padding)
    })
    const channelsOut = multiply(weight.shape[1]!, group)
    checkBias(node, channelsOut)
    return [{ dtype: input.dtype, shape: [batch!, channelsOut, ...sizes] }]
  },
}

/** Convolutions of any number of spatial dimensions. */
export const CONVOLUTION: readonly Operator[] = [conv, convTranspose]
