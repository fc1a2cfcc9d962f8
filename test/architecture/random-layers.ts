import { graphFromLayers } from '../../src/architecture/index.ts'

/** A layer list as JSON. */
export interface LayerList {
  readonly layers: readonly Record<string, unknown>[]
  readonly input: readonly number[]
  readonly inputDtype?: 'float32' | 'int64'
}

/** Numbers from 0 to 1 that the seed decides. Source: Tommy Ettinger's mulberry32. */
export function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

type Pick = <T>(...choices: readonly T[]) => T

/** A list of up to eight layers that fit each other, with arguments left out, given as numbers or given as lists. */
export function randomLayerList(seed: number): LayerList {
  const random = randomNumbers(seed)
  const pick: Pick = (...choices) => choices[Math.floor(random() * choices.length)]!
  const inputDtype = random() < 0.15 ? ('int64' as const) : undefined
  const input = inputDtype ? [pick(4, 6, 9)] : pick([6], [12], [2, 9], [4, 8], [1, 8, 8], [3, 9, 7], [4, 6, 10])
  let list: LayerList = inputDtype ? { layers: [], input, inputDtype } : { layers: [], input }
  let shape: readonly number[] = input
  const wanted = pick(1, 2, 3, 5, 8)
  for (let attempt = 0; list.layers.length < wanted && attempt < 60; attempt++) {
    const first = inputDtype && list.layers.length === 0
    const layer = first ? embedding(pick) : wrapped(candidate(shape, pick), pick, list.layers.length)
    const longer = { ...list, layers: [...list.layers, layer] }
    const next = outputShape(longer)
    if (!next || next.reduce((product, size) => product * size, 1) > 4000) continue
    list = longer
    shape = next
  }
  return list.layers.length > 0 ? list : { layers: [{ type: 'Identity' }], input: [3] }
}

function outputShape(list: LayerList): readonly number[] | null {
  try {
    return graphFromLayers(list).outputs[0]!.shape.slice(1) as readonly number[]
  } catch {
    return null
  }
}

/** Now and then inside a Sequential, or with a name. */
function wrapped(layer: Record<string, unknown>, pick: Pick, index: number): Record<string, unknown> {
  const kind = pick('plain', 'plain', 'plain', 'nested', 'named', 'twice')
  if (kind === 'named') return { ...layer, name: `layer_${index}` }
  if (kind === 'nested') return { type: 'Sequential', layers: [layer, { type: 'ReLU' }] }
  if (kind !== 'twice') return layer
  return { type: 'Sequential', name: `block${index}`, layers: [{ type: 'Sequential', layers: [layer] }] }
}

const embedding = (pick: Pick): Record<string, unknown> => ({
  type: 'Embedding',
  num_embeddings: pick(5, 11),
  embedding_dim: pick(4, 6),
  ...pick({}, { padding_idx: 0 }, { sparse: true, max_norm: null }),
})

/** A layer that may or may not fit a sample of that shape. */
function candidate(shape: readonly number[], pick: Pick): Record<string, unknown> {
  const channels = shape[0]!
  const image = shape.length === 3
  const pair = (...sizes: readonly number[]): number | number[] =>
    pick<() => number | number[]>(
      () => pick(...sizes),
      () => [pick(...sizes), pick(...sizes)],
    )()
  const makers: (() => Record<string, unknown>)[] = [
    () => ({ type: 'Linear', in_features: shape.at(-1), out_features: pick(3, 5, 8), ...pick({}, { bias: false }) }),
    () => ({
      type: 'LayerNorm',
      normalized_shape: pick<unknown>(shape.at(-1), shape),
      ...pick({}, { bias: false }, { elementwise_affine: false }, { eps: 0.01 }),
    }),
    () => ({
      type: 'GroupNorm',
      // A group of one element is 0 but for rounding, which eps then magnifies: nothing to compare.
      num_groups: shape.length === 1 ? pick(1, 2) : pick(1, 2, 3),
      num_channels: channels,
      ...pick({}, { affine: false }, { eps: 0.1 }),
    }),
    () => activation(pick),
    () => activation(pick),
    () => ({
      type: 'Flatten',
      ...pick({}, { start_dim: 2 }, { start_dim: -2 }, { end_dim: 2 }, { start_dim: 1, end_dim: -2 }),
    }),
    () => ({ type: 'Unflatten', dim: pick(1, -1, 2), unflattened_size: pick([2, -1], [-1, 3], [1, 2, -1], [4, 2]) }),
  ]
  const spatial: (() => Record<string, unknown>)[] = [
    () => ({
      type: 'Conv2d',
      in_channels: channels,
      out_channels: pick(2, 4, 6, channels),
      kernel_size: pair(1, 2, 3),
      ...pick({}, { stride: pair(1, 2) }),
      ...pick<object>({}, { padding: pair(0, 1, 2) }, { padding: 'same', stride: 1 }, { padding: 'valid' }),
      ...pick<object>({}, { dilation: pair(1, 2) }, { groups: pick(1, 2, channels) }),
      ...pick({}, { bias: false }),
    }),
    () => ({
      type: 'BatchNorm2d',
      num_features: channels,
      ...pick({}, { affine: false }, { eps: 0.01, momentum: null }),
    }),
    () => ({
      type: 'MaxPool2d',
      kernel_size: pair(2, 3),
      ...pick({}, { stride: pair(1, 2, 3) }),
      ...pick({}, { padding: 1 }),
      ...pick({}, { dilation: pair(1, 2) }),
      ...pick({}, { ceil_mode: true }),
    }),
    () => ({
      type: 'AvgPool2d',
      kernel_size: pair(2, 3),
      ...pick({}, { stride: pair(1, 2, 3) }),
      ...pick({}, { padding: pair(0, 1) }),
      ...pick({}, { ceil_mode: true }),
      ...pick({}, { count_include_pad: false }),
      ...pick({}, {}, { divisor_override: 5 }),
    }),
    () => ({
      type: 'AdaptiveAvgPool2d',
      output_size: pick<unknown>(1, 2, 3, 4, [1, 1], [2, null], [5, 3], [null, 11]),
    }),
    () => ({ type: 'Dropout2d' }),
  ]
  const sequence: (() => Record<string, unknown>)[] = [
    () => ({
      type: 'Conv1d',
      in_channels: channels,
      out_channels: pick(2, 4, 6),
      kernel_size: pick<unknown>(1, 2, 3, [3]),
      ...pick<object>({}, { stride: 2 }, { padding: 'same' }, { padding: [1] }),
      ...pick<object>({}, { dilation: 2 }, { groups: 2 }),
      ...pick({}, { bias: false }),
    }),
    () => ({ type: 'BatchNorm1d', num_features: channels, ...pick({}, { affine: false }) }),
  ]
  if (image) makers.push(...spatial, ...spatial)
  else if (shape.length === 2) makers.push(...sequence, ...sequence)
  else makers.push(sequence[1]!)
  return pick(...makers)()
}

const activation = (pick: Pick): Record<string, unknown> =>
  pick<Record<string, unknown>>(
    { type: 'ReLU', inplace: true },
    { type: 'LeakyReLU' },
    { type: 'LeakyReLU', negative_slope: 0.3 },
    { type: 'ELU', alpha: 0.7 },
    { type: 'GELU' },
    { type: 'GELU', approximate: 'tanh' },
    { type: 'SiLU' },
    { type: 'Hardswish' },
    { type: 'Tanh' },
    { type: 'Sigmoid' },
    { type: 'Softmax', dim: pick(1, -1, 2) },
    { type: 'Dropout', p: 0.9 },
    { type: 'Identity' },
  )
