import { z } from 'zod'
import { count, flag, only, size, tuple } from './arguments.ts'
import { expectInput, int, ints, layer, type Flow, type Layer, type Site } from './layer.ts'

const IMAGE = '[N, channels, height, width]'

/** Positions of the windows along one dimension: the first element of each, and one past its last. */
interface Windows {
  readonly count: number
  /** How far the last window goes past the input and its padding. */
  readonly beyond: number
}

/** Source: torch/aten/src/ATen/native/Pool.h, pooling_output_shape. */
function windows(
  length: number,
  kernel: number,
  stride: number,
  padding: number,
  dilation: number,
  ceil: boolean,
): Windows {
  const extent = dilation * (kernel - 1) + 1
  const room = length + 2 * padding - extent
  const steps = ceil ? Math.ceil(room / stride) : Math.floor(room / stride)
  // The last window has to start inside the input or the padding before it.
  const count = ceil && steps * stride >= length + padding ? steps : steps + 1
  return { count, beyond: Math.max(0, (count - 1) * stride + extent - length - 2 * padding) }
}

interface Pool {
  readonly kernel: readonly number[]
  readonly stride: readonly number[]
  readonly padding: readonly number[]
  readonly dilation: readonly number[]
  readonly ceil: boolean
}

function poolWindows(site: Site, input: Flow, pool: Pool): readonly Windows[] {
  return input.shape.slice(1).map((length, i) => {
    const [kernel, padding, dilation] = [pool.kernel[i]!, pool.padding[i]!, pool.dilation[i]!]
    if (padding > kernel / 2) site.fail(`padding ${padding} is more than half of the kernel size ${kernel}`)
    if (padding > 0 && dilation > length)
      site.fail(
        `dilation ${dilation} is larger than the size ${length} of its input: a window may see nothing but padding`,
      )
    const found = windows(length, kernel, pool.stride[i]!, padding, dilation, pool.ceil)
    if (found.count < 1)
      site.fail(`its window of ${kernel} does not fit into ${IMAGE} = [N, ${input.shape.join(', ')}]`)
    return found
  })
}

const maxPool = layer(
  'MaxPool2d',
  z.strictObject({
    kernel_size: tuple(2),
    stride: tuple(2).nullable().default(null),
    padding: tuple(2, count).default([0, 0]),
    dilation: tuple(2).default([1, 1]),
    return_indices: only(false, 'false: a layer has one output'),
    ceil_mode: flag.default(false),
  }),
  ({ kernel_size: kernel, stride, padding, dilation, ceil_mode: ceil }, input, site) => {
    expectInput(site, input, [3], IMAGE)
    const pool = { kernel, stride: stride ?? kernel, padding, dilation, ceil }
    const found = poolWindows(site, input, pool)
    const attributes = { dilations: ints(dilation), kernel_shape: ints(kernel), strides: ints(pool.stride) }
    const shape = [input.shape[0]!, ...found.map((dimension) => dimension.count)]
    // The padding that the last window needs is written out: engines differ on ceil_mode.
    const ends = padding.map((pads, i) => pads + found[i]!.beyond)
    if (ends.every((pads, i) => pads < kernel[i]!)) {
      const pads = ints([...padding, ...ends])
      return { ...input, value: site.node('MaxPool', [input.value], { ...attributes, pads }), shape }
    }
    // Engines refuse padding as wide as the kernel, which a dilated window may need.
    const pads = site.constant('pads', 'int64', [8], () => [0, 0, ...padding, 0, 0, ...ends])
    const lowest = site.constant('lowest', 'float32', [], () => [-Infinity])
    return { ...input, value: site.node('MaxPool', [site.node('Pad', [input.value, pads, lowest])], attributes), shape }
  },
)

const averagePool = layer(
  'AvgPool2d',
  z.strictObject({
    kernel_size: tuple(2),
    stride: tuple(2).nullable().default(null),
    padding: tuple(2, count).default([0, 0]),
    ceil_mode: flag.default(false),
    count_include_pad: flag.default(true),
    divisor_override: size.nullable().default(null),
  }),
  (given, input, site) => {
    expectInput(site, input, [3], IMAGE)
    const { kernel_size: kernel, padding, count_include_pad: countPads, divisor_override: divisor } = given
    const pool = { kernel, stride: given.stride ?? kernel, padding, dilation: [1, 1], ceil: given.ceil_mode }
    const found = poolWindows(site, input, pool)
    const shape = [input.shape[0]!, ...found.map((dimension) => dimension.count)]
    const attributes = { kernel_shape: ints(kernel), strides: ints(pool.stride) }
    if (divisor === null && found.every(({ beyond }) => beyond === 0)) {
      const pads = ints([...padding, ...padding])
      const value = site.node('AveragePool', [input.value], {
        ...attributes,
        pads,
        count_include_pad: int(Number(countPads)),
      })
      return { ...input, value, shape }
    }
    // Windows past the padding count in their own way, and engines differ on it: average over explicit zeros, then correct
    // each position by a table.
    const area = kernel[0]! * kernel[1]!
    const ends = padding.map((pads, i) => pads + found[i]!.beyond)
    const pads = site.constant('pads', 'int64', [8], () => [0, 0, ...padding, 0, 0, ...ends])
    const padded = site.node('Pad', [input.value, pads])
    const average = site.node('AveragePool', [padded], attributes)
    const correction = site.constant('correction', 'float32', shape.slice(1), () => {
      const [rows, columns] = found.map((dimension, i) => countedElements(dimension.count, i, input, pool, countPads))
      const width = columns!.length
      const at = (i: number): number => rows![Math.floor(i / width)]! * columns![i % width]!
      return new Float32Array(rows!.length * width).map((_, i) => area / (divisor ?? at(i)))
    })
    return { ...input, value: site.node('Mul', [average, correction]), shape }
  },
)

/** Elements that each window divides by along one dimension. Source: torch/aten/src/ATen/native/cpu/AvgPoolKernel.cpp. */
function countedElements(
  windowCount: number,
  i: number,
  input: Flow,
  pool: Pool,
  countPads: boolean,
): readonly number[] {
  const [length, padding] = [input.shape[i + 1]!, pool.padding[i]!]
  return Array.from({ length: windowCount }, (_, position) => {
    const start = position * pool.stride[i]! - padding
    const end = Math.min(start + pool.kernel[i]!, length + padding)
    return countPads ? end - start : Math.min(end, length) - Math.max(start, 0)
  })
}

/** Pooling by windows. */
export const POOLING: readonly Layer[] = [maxPool, averagePool]
