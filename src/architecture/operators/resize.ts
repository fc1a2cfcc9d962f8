import { divideDown, multiply, type Size } from '../size.ts'
import { axisOf } from './axes.ts'
import type { NodeContext, Operator } from './operator.ts'

function resizedSize(node: NodeContext, size: Size, scale: Size): Size {
  if (scale === 1) return size
  if (typeof scale !== 'number' || !(scale > 0)) return node.fail('its scales have to be positive numbers')
  if (typeof size === 'number') return Math.floor(size * scale)
  if (Number.isInteger(scale)) return multiply(size, scale)
  if (Number.isInteger(1 / scale)) return divideDown(size, 1 / scale)
  return node.fail(`scales an open size by ${scale}`)
}

const resize: Operator = {
  name: 'Resize',
  inputs: [1, 4],
  outputs: [1, 1],
  attributes: {
    antialias: 'int',
    axes: 'ints',
    coordinate_transformation_mode: 'string',
    cubic_coeff_a: 'float',
    exclude_outside: 'int',
    extrapolation_value: 'float',
    keep_aspect_ratio_policy: 'string',
    mode: 'string',
    nearest_mode: 'string',
  },
  infer: (node) => {
    const { dtype, shape } = node.input(0)
    if ((node.text('keep_aspect_ratio_policy') ?? 'stretch') !== 'stretch')
      node.fail('keeps the aspect ratio; only keep_aspect_ratio_policy "stretch" is supported')
    const axes = (node.ints('axes') ?? shape.map((_, i) => i)).map((axis) => axisOf(node, axis, shape.length))
    // An empty tensor stands for an omitted input in old files.
    const given = (index: number): readonly Size[] | undefined => {
      const elements = node.known(index)
      return elements?.length ? elements : undefined
    }
    const scales = given(2)
    const sizes = given(3)
    const source = sizes ?? scales ?? node.fail('has neither scales nor sizes')
    if (source.length !== axes.length) node.fail(`has ${source.length} scales or sizes for ${axes.length} axes`)
    const result = [...shape]
    for (const [i, axis] of axes.entries())
      result[axis] = sizes ? sizes[i]! : resizedSize(node, shape[axis]!, source[i]!)
    return [{ dtype, shape: result }]
  },
}

/** Changes of resolution. */
export const RESIZE: readonly Operator[] = [resize]
