import { shapeText, type Size } from '../size.ts'
import type { NodeContext, Operator } from './operator.ts'
import { windowOf, windowSizes } from './window.ts'

const ATTRIBUTES = {
  auto_pad: 'string',
  ceil_mode: 'int',
  kernel_shape: 'ints',
  pads: 'ints',
  strides: 'ints',
  dilations: 'ints',
} as const

function pooledShape(node: NodeContext): readonly Size[] {
  const [batch, channels, ...spatial] = spatialInput(node)
  const kernel = node.ints('kernel_shape') ?? node.fail('has no kernel_shape')
  return [batch!, channels!, ...windowSizes(node, spatial, windowOf(node, spatial.length, kernel))]
}

function spatialInput(node: NodeContext): readonly Size[] {
  const { shape } = node.input(0)
  if (shape.length < 3) node.fail(`expects [batch, channels, …], found ${shapeText(shape)}`)
  return shape
}

const pool = (name: string, attributes: Operator['attributes']): Operator => ({
  name,
  inputs: [1, 1],
  outputs: [1, 1],
  attributes: { ...ATTRIBUTES, ...attributes },
  infer: (node) => [{ dtype: node.input(0).dtype, shape: pooledShape(node) }],
})

const maxPool: Operator = {
  ...pool('MaxPool', { storage_order: 'int' }),
  outputs: [1, 2],
  infer: (node) => {
    const shape = pooledShape(node)
    return [
      { dtype: node.input(0).dtype, shape },
      { dtype: 'int64', shape },
    ]
  },
}

const global = (name: string, attributes: Operator['attributes'] = {}): Operator => ({
  name,
  inputs: [1, 1],
  outputs: [1, 1],
  attributes,
  infer: (node) => {
    const [batch, channels, ...spatial] = spatialInput(node)
    return [{ dtype: node.input(0).dtype, shape: [batch!, channels!, ...spatial.map(() => 1)] }]
  },
})

/** Pooling by windows and over everything. */
export const POOLING: readonly Operator[] = [
  maxPool,
  pool('AveragePool', { count_include_pad: 'int' }),
  pool('LpPool', { p: 'int' }),
  global('GlobalAveragePool'),
  global('GlobalMaxPool'),
  global('GlobalLpPool', { p: 'int' }),
]
