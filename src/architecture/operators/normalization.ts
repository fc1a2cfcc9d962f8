import { dimensionOf, sameSize, shapeText, type Size } from '../size.ts'
import { axisOf } from './axes.ts'
import type { NodeContext, Operator, Value } from './operator.ts'
import { keepSamplesApart } from './samples-apart.ts'

/** One number for each channel: the second dimension of the input. */
function checkChannels(node: NodeContext, indices: readonly number[]): Value {
  const input = node.input(0)
  if (input.shape.length < 2) node.fail(`expects [batch, channels, …], found ${shapeText(input.shape)}`)
  for (const index of indices) {
    const { shape } = node.input(index)
    if (!(shape.length === 1 && sameSize(shape[0]!, input.shape[1]!)))
      node.fail(`normalizes ${dimensionOf(shape[0] ?? 1)} channels, the input is ${shapeText(input.shape)}`)
  }
  return input
}

const same = ({ dtype, shape }: Value): Value => ({ dtype, shape })

const batchNormalization: Operator = {
  name: 'BatchNormalization',
  inputs: [5, 5],
  outputs: [1, 5],
  attributes: { epsilon: 'float', momentum: 'float', training_mode: 'int' },
  infer: (node) => {
    const input = checkChannels(node, [1, 2, 3, 4])
    const statistics = { dtype: input.dtype, shape: [input.shape[1]!] }
    return [same(input), statistics, statistics, statistics, statistics].slice(0, node.outputCount)
  },
}

const instanceNormalization: Operator = {
  name: 'InstanceNormalization',
  inputs: [3, 3],
  outputs: [1, 1],
  attributes: { epsilon: 'float' },
  infer: (node) => [same(checkChannels(node, [1, 2]))],
}

// Before operator set 21, scale and bias have one number for each group.
const groupNormalization: Operator = {
  name: 'GroupNormalization',
  since: 18,
  inputs: [3, 3],
  outputs: [1, 1],
  attributes: { epsilon: 'float', num_groups: 'int', stash_type: 'int' },
  infer: (node) => [same(checkChannels(node, node.opset >= 21 ? [1, 2] : []))],
}

/** Axes from `axis` on are normalized; scale and bias stretch to them. */
function checkTrailing(node: NodeContext, indices: readonly number[]): readonly Size[] {
  const { shape } = node.input(0)
  const normalized = shape.slice(axisOf(node, node.int('axis') ?? -1, shape.length))
  keepSamplesApart(node, normalized)
  for (const index of indices) {
    const given = node.inputs[index]?.shape
    if (!given) continue
    const fits =
      given.length <= shape.length && given.every((size, i) => fitsSize(size, shape[shape.length - given.length + i]!))
    if (!fits) node.fail(`normalizes ${shapeText(given)}, the input is ${shapeText(shape)}`)
  }
  return [...shape.slice(0, shape.length - normalized.length), ...normalized.map(() => 1)]
}

const fitsSize = (size: Size, of: Size): boolean => size === 1 || sameSize(size, of)

const layerNormalization: Operator = {
  name: 'LayerNormalization',
  since: 17,
  inputs: [2, 3],
  outputs: [1, 3],
  attributes: { axis: 'int', epsilon: 'float', stash_type: 'int' },
  infer: (node) => {
    const shape = checkTrailing(node, [1, 2])
    const statistics: Value = { dtype: 'float32', shape }
    return [same(node.input(0)), statistics, statistics].slice(0, node.outputCount)
  },
}

const rmsNormalization: Operator = {
  name: 'RMSNormalization',
  since: 23,
  inputs: [2, 2],
  outputs: [1, 1],
  attributes: { axis: 'int', epsilon: 'float', stash_type: 'int' },
  infer: (node) => {
    checkTrailing(node, [1])
    return [same(node.input(0))]
  },
}

const unscaled = (name: string, attributes: NonNullable<Operator['attributes']>): Operator => ({
  name,
  inputs: [1, 1],
  outputs: [1, 1],
  attributes,
  infer: (node) => [same(node.input(0))],
})

/** Normalization by statistics of the batch, the sample, groups or layers. */
export const NORMALIZATION: readonly Operator[] = [
  batchNormalization,
  instanceNormalization,
  groupNormalization,
  layerNormalization,
  rmsNormalization,
  unscaled('LpNormalization', { axis: 'int', p: 'int' }),
  unscaled('LRN', { alpha: 'float', beta: 'float', bias: 'float', size: 'int' }),
  unscaled('MeanVarianceNormalization', { axes: 'ints' }),
]
