import { z } from 'zod'
import { axis, inplace, number, size } from './arguments.ts'
import { batchText, int, layer, type Flow, type Layer, type Site } from './layer.ts'

const unchanged = (_: unknown, input: Flow): Flow => input

const dropout = (type: string): Layer => {
  const p = number.min(0, 'a probability from 0 to 1').max(1, 'a probability from 0 to 1').default(0.5)
  // In evaluation mode it is the identity.
  return layer(type, z.strictObject({ p, inplace }), unchanged)
}

/** A dimension of the batched input, counted from the start; the batch itself has to stay. */
function dimension(site: Site, name: string, dim: number, input: Flow): number {
  const rank = input.shape.length + 1
  const counted = dim < 0 ? dim + rank : dim
  if (counted < 0 || counted >= rank)
    site.fail(`${name} ${dim} is outside of the ${rank} dimensions of ${batchText(input.shape)}`)
  if (counted === 0) site.fail(`${name} ${dim} is the batch, which has to stay a dimension of its own`)
  return counted
}

/** Sizes after the batch, whose own size is copied. */
const reshaped = (site: Site, input: Flow, shape: readonly number[]): Flow => {
  const target = site.constant('shape', 'int64', [shape.length + 1], () => [0, ...shape])
  return { ...input, value: site.node('Reshape', [input.value, target]), shape }
}

const flatten = layer(
  'Flatten',
  z.strictObject({ start_dim: axis.default(1), end_dim: axis.default(-1) }),
  ({ start_dim, end_dim }, input, site) => {
    const start = dimension(site, 'start_dim', start_dim, input)
    const end = dimension(site, 'end_dim', end_dim, input)
    if (start > end) site.fail(`start_dim ${start_dim} comes after end_dim ${end_dim}`)
    const merged = input.shape.slice(start - 1, end).reduce((product, length) => product * length, 1)
    const shape = [...input.shape.slice(0, start - 1), merged, ...input.shape.slice(end)]
    if (start === 1 && end === input.shape.length)
      return { ...input, value: site.node('Flatten', [input.value], { axis: int(1) }), shape }
    return reshaped(site, input, shape)
  },
)

const unflatten = layer(
  'Unflatten',
  z.strictObject({
    dim: axis,
    unflattened_size: z
      .array(z.union([size, z.literal(-1)], { error: 'positive whole numbers, or -1 once' }), 'a list of sizes')
      .min(1, 'a list of sizes')
      .max(8, 'at most 8 sizes'),
  }),
  ({ dim, unflattened_size: sizes }, input, site) => {
    const at = dimension(site, 'dim', dim, input) - 1
    const length = input.shape[at]!
    const known = sizes.filter((part) => part !== -1).reduce((product, part) => product * part, 1)
    const open = sizes.length - sizes.filter((part) => part !== -1).length
    if (open > 1 || (open === 1 ? length % known !== 0 : length !== known))
      site.fail(`unflattened_size [${sizes.join(', ')}] does not make up the size ${length} of dim ${dim}`)
    const parts = sizes.map((part) => (part === -1 ? length / known : part))
    return reshaped(site, input, [...input.shape.slice(0, at), ...parts, ...input.shape.slice(at + 1)])
  },
)

/** Layers that change the shape, or nothing. */
export const SHAPE: readonly Layer[] = [
  flatten,
  unflatten,
  dropout('Dropout'),
  dropout('Dropout2d'),
  layer('Identity', z.strictObject({}), unchanged),
]
