import { axisIn, inLayout } from '../layout.ts'
import type { TfTensor } from '../library.ts'
import type { Compiled, Operator, Site } from './operator.ts'

/** Which elements along an axis make up each new one: as many rows as there are elements in a sum. */
interface Taps {
  readonly axis: number
  readonly rows: readonly { readonly indices: readonly number[]; readonly weights: readonly number[] }[]
}

/** Where a new position lies among the old ones. Source: the ONNX specification of Resize. */
function coordinate(site: Site, at: number, from: number, to: number, scale: number): number {
  const mode = site.text('coordinate_transformation_mode') ?? 'half_pixel'
  switch (mode) {
    case 'half_pixel':
      return (at + 0.5) / scale - 0.5
    case 'half_pixel_symmetric': {
      const offset = (from / 2) * (1 - to / (scale * from))
      return offset + (at + 0.5) / scale - 0.5
    }
    case 'pytorch_half_pixel':
      return to > 1 ? (at + 0.5) / scale - 0.5 : 0
    case 'align_corners':
      return to === 1 ? 0 : (at * (from - 1)) / (to - 1)
    case 'asymmetric':
      return at / scale
    default:
      return site.refuse(`coordinate_transformation_mode ${mode}`)
  }
}

function nearest(site: Site, x: number): number {
  const mode = site.text('nearest_mode') ?? 'round_prefer_floor'
  switch (mode) {
    case 'round_prefer_floor':
      return Math.ceil(x - 0.5)
    case 'round_prefer_ceil':
      return Math.floor(x + 0.5)
    case 'floor':
      return Math.floor(x)
    case 'ceil':
      return Math.ceil(x)
    default:
      return site.refuse(`nearest_mode ${mode}`)
  }
}

/** Offsets from the element before a position, and their weights. */
function weightsOf(site: Site, x: number): readonly (readonly [number, number])[] {
  const mode = site.text('mode') ?? 'nearest'
  const low = Math.floor(x)
  const t = x - low
  switch (mode) {
    case 'nearest':
      return [[nearest(site, x), 1]]
    case 'linear':
      return [
        [low, 1 - t],
        [low + 1, t],
      ]
    case 'cubic': {
      const a = site.float('cubic_coeff_a', -0.75)
      const near = (d: number) => ((a + 2) * d - (a + 3)) * d * d + 1
      const far = (d: number) => ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
      return [
        [low - 1, far(t + 1)],
        [low, near(t)],
        [low + 1, near(1 - t)],
        [low + 2, far(2 - t)],
      ]
    }
    default:
      return site.refuse(`mode ${mode}`)
  }
}

function tapsOf(site: Site, axis: number, from: number, to: number, scale: number): Taps {
  const excludes = site.int('exclude_outside') === 1
  const all = Array.from({ length: to }, (_, at) => {
    const parts = weightsOf(site, coordinate(site, at, from, to, scale))
    if (!excludes) return parts
    const inside = parts.map(([index, weight]) => [index, index < 0 || index >= from ? 0 : weight] as const)
    const total = inside.reduce((sum, [, weight]) => sum + weight, 0)
    return inside.map(([index, weight]) => [index, weight / total] as const)
  })
  const rows = all[0]!.map((_, tap) => ({
    indices: all.map((parts) => Math.min(Math.max(parts[tap]![0], 0), from - 1)),
    weights: all.map((parts) => parts[tap]![1]),
  }))
  return { axis, rows }
}

const resize: Operator = {
  name: 'Resize',
  compile(site): Compiled {
    const { tf } = site
    if (site.int('antialias') === 1) return site.refuse('antialias')
    const [from, to] = [site.shape(0), site.outputShape()]
    const rank = from.length
    const layout = site.layout(0)
    const given = site.known(2)
    const axes = (site.ints('axes') ?? from.map((_, i) => i)).map((axis) => site.axis(axis))
    const scaleOf = (axis: number): number => {
      const i = axes.indexOf(axis)
      return given?.length && i >= 0 ? given[i]! : to[axis]! / from[axis]!
    }
    const taps = from.flatMap((size, axis) =>
      to[axis] === size && scaleOf(axis) === 1 ? [] : [tapsOf(site, axis, size, to[axis]!, scaleOf(axis))],
    )
    const compute = (x: TfTensor): TfTensor =>
      taps.reduce((image, { axis, rows }) => {
        const place = axisIn(layout, axis, rank)
        const parts = rows.map(({ indices, weights }) => {
          const picked = tf.gather(image, tf.tensor1d([...indices], 'int32'), place)
          if (weights.every((weight) => weight === 1)) return picked
          const shape = inLayout(
            layout,
            from.map((_, i) => (i === axis ? weights.length : 1)),
          )
          return tf.mul(picked, tf.tensor([...weights], shape))
        })
        return parts.reduce((a, b) => tf.add(a, b))
      }, x)
    return { operands: [site.take(0, layout)], layout, compute: (x) => compute(x) }
  },
}

/** Changes of resolution. */
export const RESIZE: readonly Operator[] = [resize]
