import { z } from 'zod'
import { axis, inplace, number } from './arguments.ts'
import { float, int, layer, text, type Flow, type Layer, type Site } from './layer.ts'

/** A function of each element. */
const elementwise = <Shape extends z.core.$ZodLooseShape>(
  type: string,
  schema: z.ZodObject<Shape, z.core.$strict>,
  compile: (layerArguments: z.output<z.ZodObject<Shape, z.core.$strict>>, input: Flow, site: Site) => string,
): Layer =>
  layer(type, schema, (layerArguments, input, site) => {
    if (input.dtype !== 'float32') site.fail(`expects float32, the layer before gives ${input.dtype}`)
    return { ...input, value: compile(layerArguments, input, site) }
  })

const plain = (type: string, op: string): Layer =>
  elementwise(type, z.strictObject({}), (_, input, site) => site.node(op, [input.value]))

const softmax = elementwise(
  'Softmax',
  z.strictObject({ dim: axis.nullable().default(null) }),
  ({ dim }, input, site) => {
    const rank = input.shape.length + 1
    // Source: torch/nn/functional.py, _get_softmax_dim: what torch takes, with a warning, when dim is left out.
    const chosen = dim ?? (rank === 3 ? 0 : 1)
    const counted = chosen < 0 ? chosen + rank : chosen
    if (counted < 0 || counted >= rank) site.fail(`dim ${chosen} is outside of ${rank} dimensions, the batch included`)
    if (counted === 0)
      site.fail(
        dim === null
          ? 'without dim, torch takes the batch dimension for an input of three dimensions; say which one is meant'
          : 'dim 0 is the batch: samples have to be independent',
      )
    return site.node('Softmax', [input.value], { axis: int(counted) })
  },
)

/** Activations. */
export const ACTIVATION: readonly Layer[] = [
  elementwise('ReLU', z.strictObject({ inplace }), (_, input, site) => site.node('Relu', [input.value])),
  elementwise('LeakyReLU', z.strictObject({ negative_slope: number.default(0.01), inplace }), (given, input, site) =>
    site.node('LeakyRelu', [input.value], { alpha: float(given.negative_slope) }),
  ),
  elementwise('ELU', z.strictObject({ alpha: number.default(1), inplace }), ({ alpha }, input, site) =>
    site.node('Elu', [input.value], { alpha: float(alpha) }),
  ),
  elementwise(
    'GELU',
    z.strictObject({ approximate: z.enum(['none', 'tanh'], '"none" or "tanh"').default('none') }),
    ({ approximate }, input, site) => site.node('Gelu', [input.value], { approximate: text(approximate) }),
  ),
  elementwise('SiLU', z.strictObject({ inplace }), (_, input, site) =>
    site.node('Mul', [input.value, site.node('Sigmoid', [input.value])]),
  ),
  elementwise('Hardswish', z.strictObject({ inplace }), (_, input, site) => site.node('HardSwish', [input.value])),
  plain('Tanh', 'Tanh'),
  plain('Sigmoid', 'Sigmoid'),
  softmax,
]
