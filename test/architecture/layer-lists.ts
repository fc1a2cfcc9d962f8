import type { LayerList } from './random-layers.ts'

/** Recurrent layers in every kind that a list may have. */
function recurrentLists(): readonly LayerList[] {
  const kinds = [{ type: 'LSTM' }, { type: 'GRU' }, { type: 'RNN' }, { type: 'RNN', nonlinearity: 'relu' }]
  const ways = [
    {},
    { bias: false, output: 'last' },
    { bidirectional: true, num_layers: 2, dropout: 0.4 },
    { bidirectional: true, output: 'last' },
    { num_layers: 3, output: 'last' },
  ]
  return kinds.flatMap((kind) =>
    ways.map((way) => ({
      layers: [{ ...kind, input_size: 4, hidden_size: 5, batch_first: true, ...way }],
      input: [6, 4],
    })),
  )
}

const convolution = (name: string, ins: number, outs: number, kernel: number, stride: number, padding: number) => ({
  ...{ type: 'Conv2d', name, in_channels: ins, out_channels: outs, kernel_size: kernel, stride, padding, bias: false },
})
const norm = (name: string, channels: number) => ({ type: 'BatchNorm2d', name, num_features: channels })

/** A block of torchvision's ResNet-18, with its names. */
const block = (name: string, ins: number, outs: number, stride: number) => ({
  type: 'Residual',
  name,
  layers: [
    convolution('conv1', ins, outs, 3, stride, 1),
    norm('bn1', outs),
    { type: 'ReLU', name: 'relu' },
    convolution('conv2', outs, outs, 3, 1, 1),
    norm('bn2', outs),
  ],
  ...(stride === 1 && ins === outs
    ? {}
    : {
        shortcut: {
          type: 'Sequential',
          name: 'downsample',
          layers: [convolution('0', ins, outs, 1, stride, 0), norm('1', outs)],
        },
      }),
  after: [{ type: 'ReLU' }],
})

/** torchvision's ResNet of basic blocks, one for each width, as a list of layers with the same keys. */
export function residualNetwork(widths: readonly number[], classes = 7, size = 32): LayerList {
  const [first] = widths as readonly [number]
  return {
    layers: [
      convolution('conv1', 3, first, 7, 2, 3),
      norm('bn1', first),
      { type: 'ReLU' },
      { type: 'MaxPool2d', kernel_size: 3, stride: 2, padding: 1 },
      ...widths.map((width, i) => ({
        type: 'Sequential',
        name: `layer${i + 1}`,
        layers: [block('0', widths[i - 1] ?? first, width, i === 0 ? 1 : 2)],
      })),
      { type: 'AdaptiveAvgPool2d', output_size: 1 },
      { type: 'Flatten' },
      { type: 'Linear', name: 'fc', in_features: widths.at(-1)!, out_features: classes },
    ],
    input: [3, size, size],
  }
}

/** Arguments whose combination random lists meet too seldom. */
export const CHOSEN_LISTS: readonly LayerList[] = [
  { layers: [{ type: 'AvgPool2d', kernel_size: 3, stride: 2, padding: 1, ceil_mode: true }], input: [2, 6, 8] },
  {
    layers: [
      { type: 'AvgPool2d', kernel_size: [3, 2], stride: 2, padding: 1, ceil_mode: true, count_include_pad: false },
    ],
    input: [2, 6, 9],
  },
  {
    layers: [{ type: 'AvgPool2d', kernel_size: 2, stride: 3, ceil_mode: true, divisor_override: 3 }],
    input: [2, 7, 9],
  },
  {
    layers: [{ type: 'MaxPool2d', kernel_size: 2, stride: 2, ceil_mode: true, padding: 1, dilation: 3 }],
    input: [2, 8, 9],
  },
  { layers: [{ type: 'MaxPool2d', kernel_size: 2, stride: 3, ceil_mode: true }], input: [2, 6, 7] },
  { layers: [{ type: 'MaxPool2d', kernel_size: 3, stride: 1, ceil_mode: true, dilation: 2 }], input: [2, 6, 7] },
  { layers: [{ type: 'AdaptiveAvgPool2d', output_size: [3, 5] }], input: [2, 7, 4] },
  { layers: [{ type: 'AdaptiveAvgPool2d', output_size: [null, 3] }], input: [2, 5, 9] },
  {
    layers: [
      {
        type: 'Conv2d',
        in_channels: 4,
        out_channels: 8,
        kernel_size: [2, 4],
        padding: 'same',
        dilation: [1, 3],
        groups: 4,
      },
    ],
    input: [4, 7, 9],
  },
  { layers: [{ type: 'Softmax', dim: 1 }, { type: 'Softmax' }], input: [3, 4, 5] },
  { layers: [{ type: 'Identity' }], input: [3] },
  { layers: [{ type: 'Dropout' }, { type: 'Sequential', layers: [] }], input: [2, 3] },
  { layers: [{ type: 'Flatten', start_dim: -1 }], input: [2, 3] },
  {
    layers: [{ type: 'Hardswish' }, { type: 'GELU' }, { type: 'ELU' }, { type: 'SiLU' }, { type: 'Tanh' }],
    input: [40],
  },
  { layers: [{ type: 'GroupNorm', num_groups: 2, num_channels: 6 }], input: [6] },
  { layers: [{ type: 'LayerNorm', normalized_shape: [2, 3], elementwise_affine: false }], input: [4, 2, 3] },
  {
    layers: [
      { type: 'Embedding', num_embeddings: 7, embedding_dim: 3, padding_idx: -1 },
      { type: 'Flatten' },
      { type: 'Linear', in_features: 12, out_features: 2 },
    ],
    input: [4],
    inputDtype: 'int64',
  },
  ...recurrentLists(),
  { layers: [{ type: 'MultiheadAttention', embed_dim: 12, num_heads: 3, batch_first: true }], input: [5, 12] },
  {
    layers: [{ type: 'MultiheadAttention', embed_dim: 8, num_heads: 1, bias: false, dropout: 0.5, batch_first: true }],
    input: [4, 8],
  },
  ...[{}, { norm_first: true, activation: 'gelu' }, { bias: false, layer_norm_eps: 0.01 }].map((more) => ({
    layers: [
      { type: 'TransformerEncoderLayer', d_model: 12, nhead: 2, dim_feedforward: 20, batch_first: true, ...more },
      { type: 'TransformerEncoderLayer', name: 'second', d_model: 12, nhead: 3, dim_feedforward: 7, batch_first: true },
      { type: 'Linear', in_features: 12, out_features: 3 },
    ],
    input: [5, 12],
  })),
  ...[
    { kernel_size: 2, stride: 2 },
    { kernel_size: 3, stride: 2, padding: 1, output_padding: 1, groups: 2 },
    { kernel_size: [3, 2], stride: [1, 3], dilation: [2, 1], bias: false, padding: [2, 0], output_padding: [0, 2] },
  ].map((more) => ({
    layers: [{ type: 'ConvTranspose2d', in_channels: 4, out_channels: 6, ...more }],
    input: [4, 5, 4],
  })),
  ...[
    { scale_factor: 2 },
    { scale_factor: [1.7, 0.6] },
    { size: [7, 3] },
    { size: 9, mode: 'bilinear' },
    { scale_factor: 2.3, mode: 'bilinear', align_corners: false },
    { scale_factor: 2.3, mode: 'bilinear', recompute_scale_factor: true },
    { scale_factor: 2, mode: 'bilinear', align_corners: true },
    { size: [10, 3], mode: 'bicubic' },
    { scale_factor: 1.5, mode: 'bicubic', align_corners: true },
  ].map((more) => ({ layers: [{ type: 'Upsample', ...more }], input: [2, 5, 6] })),
  { layers: [{ type: 'Upsample', scale_factor: 1.5, mode: 'linear' }], input: [2, 7] },
  { layers: [{ type: 'Upsample', size: 11 }], input: [2, 7] },
  ...[
    {},
    { affine: true },
    { track_running_stats: true },
    { affine: true, track_running_stats: true, eps: 0.01 },
  ].flatMap((more) => [
    { layers: [{ type: 'InstanceNorm2d', num_features: 3, ...more }], input: [3, 4, 5] },
    { layers: [{ type: 'InstanceNorm1d', num_features: 3, ...more }], input: [3, 8] },
  ]),
  residualNetwork([4, 6, 8]),
  {
    layers: [
      { type: 'Residual', layers: [{ type: 'Linear', in_features: 6, out_features: 6 }] },
      {
        type: 'Residual',
        name: 'deep',
        layers: [{ type: 'Residual', layers: [{ type: 'Tanh' }] }],
        after: [{ type: 'ReLU' }],
      },
    ],
    input: [6],
  },
]
