import { z } from 'zod'
import { flag, size } from './arguments.ts'
import { batchText, expectInput, float, ints, layer, text, type Layer } from './layer.ts'

const factor = z.number('a positive number').positive('a positive number').max(1024, 'at most 1024')
const oneOrMore = <T extends z.ZodType>(element: T) =>
  z.union([element, z.array(element).min(1).max(2)], { error: 'a number or a list of one or two' })

/** Dimensions after batch and channels of each mode. */
const RANKS = { nearest: [1, 2], linear: [1], bilinear: [2], bicubic: [2] } as const
const MODES = { nearest: 'nearest', linear: 'linear', bilinear: 'linear', bicubic: 'cubic' } as const

const upsample = layer(
  'Upsample',
  z.strictObject({
    size: oneOrMore(size).nullable().default(null),
    scale_factor: oneOrMore(factor).nullable().default(null),
    mode: z
      .enum(['nearest', 'linear', 'bilinear', 'bicubic'], '"nearest", "linear", "bilinear" or "bicubic"')
      .default('nearest'),
    align_corners: flag.nullable().default(null),
    recompute_scale_factor: flag.nullable().default(null),
  }),
  (given, input, site) => {
    const { mode, align_corners, recompute_scale_factor: recompute } = given
    const ranks: readonly number[] = RANKS[mode]
    expectInput(
      site,
      input,
      ranks.map((rank) => rank + 1),
      '[N, channels, length] or [N, channels, height, width]',
    )
    const [channels, ...spatial] = input.shape as [number, ...number[]]
    if ((given.size === null) === (given.scale_factor === null)) site.fail('takes either size or scale_factor')
    if (mode === 'nearest' && align_corners !== null) site.fail('align_corners is for linear, bilinear and bicubic')
    const each = (value: number | number[]): readonly number[] => {
      const list = typeof value === 'number' ? spatial.map(() => value) : value
      if (list.length !== spatial.length) site.fail(`has ${list.length} sizes or factors for ${batchText(input.shape)}`)
      return list
    }
    const factors = given.scale_factor === null ? null : each(given.scale_factor)
    const sizes = factors === null ? each(given.size!) : spatial.map((length, i) => Math.floor(length * factors[i]!))
    if (sizes.some((length) => length < 1)) site.fail(`leaves nothing of ${batchText(input.shape)}`)
    // With factors, torch maps positions by them, unless it is told to recompute them from the sizes.
    const byFactor = factors !== null && recompute !== true
    const last = spatial.map((_, i) => i + 2)
    const target = byFactor
      ? ['', site.constant('scales', 'float32', [spatial.length], () => factors)]
      : ['', '', site.constant('sizes', 'int64', [spatial.length], () => sizes)]
    const transformation = mode === 'nearest' ? 'asymmetric' : align_corners === true ? 'align_corners' : 'half_pixel'
    const value = site.node('Resize', [input.value, ...target], {
      axes: ints(last),
      coordinate_transformation_mode: text(transformation),
      mode: text(MODES[mode]),
      ...(mode === 'nearest' ? { nearest_mode: text('floor') } : {}),
      ...(mode === 'bicubic' ? { cubic_coeff_a: float(-0.75) } : {}),
    })
    return { ...input, value, shape: [channels, ...sizes] }
  },
)

/** Layers that change the resolution. Source: torch/nn/functional.py, interpolate. */
export const UPSAMPLE: readonly Layer[] = [upsample]
