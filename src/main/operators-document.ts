import { LAYER_ARGUMENTS, OPERATOR_NAMES } from '../architecture/index.ts'
import { LACKS, wasmFacts } from '../engine/tensorflow/index.ts'

/** Layers whose keys and manner are not those of a table row. */
const NOTES: Readonly<Record<string, string>> = {
  Sequential: 'nests; `layers` is a list',
  Residual:
    'not torch’s: adds what `layers` give to its input, or to what the layer `shortcut` makes of it; then come the layers `after`. All of them are children of one module, so that a block of a ResNet has the keys of torchvision',
  LSTM: '`batch_first` has to be true; `output` is not torch’s: `"sequence"` (the default) or `"last"`, the last hidden state, both directions side by side',
  GRU: 'as LSTM',
  RNN: 'as LSTM',
  MultiheadAttention: '`batch_first` has to be true; self-attention without a mask',
  TransformerEncoderLayer: '`batch_first` has to be true; without a mask',
}

/** docs/operators.md, from the tables of operators, engines and layers. */
export function operatorsDocument(): string {
  const has = (lacking: readonly string[], name: string): string => (lacking.includes(name) ? '**no**' : 'yes')
  const wasm = wasmFacts().lacks.operators
  const operators = OPERATOR_NAMES.map(
    (name) => `| \`${name}\` | yes | ${has(LACKS.operators, name)} | ${has(wasm, name)} |`,
  )
  const layers = Object.entries(LAYER_ARGUMENTS).map(
    ([type, names]) => `| \`${type}\` | ${names.map((name) => `\`${name}\``).join(', ')} | ${NOTES[type] ?? ''} |`,
  )
  return [
    '<!-- Made from src/architecture and src/engine by `npm run docs:operators`. -->',
    '',
    '# Operators and layers',
    '',
    '## ONNX operators',
    '',
    'Of the default domain, operator sets 13 to 23. A graph with any other is refused when the model is made, with the names of all that are in the way.',
    'A graph with an operator that an engine lacks is executed by the other one (`engine: AUTO`), or refused before it is queued.',
    '',
    '| Operator | ONNX Runtime | TensorFlow.js, native and WebGPU | … on WebAssembly |',
    '| --- | --- | --- | --- |',
    ...operators,
    '',
    `Element types that TensorFlow.js does not have: ${LACKS.dtypes.map((dtype) => `\`${dtype}\``).join(', ')}. What else it refuses, when a graph is loaded,`,
    'is in [gpu.md](gpu.md#what-it-computes).',
    '',
    '## Model families',
    '',
    '`npm run test:interop -- model-families` exports each with both exporters of PyTorch, binds its state_dict with random weights, and compares the',
    'logits of every engine with those of PyTorch (1e-4 of the largest); `NOGRAD_ALL_OPSETS=1` before it takes operator sets 13, 14, 16, 17, 18 and 20 of the older exporter, and 18, 19, 21 and 23 of the newer one, for each. torchvision:',
    'ResNet, MobileNetV2, MobileNetV3, EfficientNet, EfficientNetV2, ConvNeXt, ViT, Swin, SwinV2, DenseNet, VGG. Besides: a BERT encoder with its mask;',
    'LSTM, GRU and RNN, in one and two directions, stacked, with and without bias; MultiheadAttention, TransformerEncoder; transposed convolutions, Upsample,',
    'InstanceNorm, PixelShuffle, bicubic resizing.',
    '',
    '## Layers of a list',
    '',
    'Arguments have the names and defaults of torch.nn; `name` gives a layer its name in the state_dict, by default its place in the list.',
    '',
    '| Layer | Arguments | |',
    '| --- | --- | --- |',
    ...layers,
    '',
    'A block of a ResNet-18, with the keys that torchvision gives it (`layer2.0.conv1.weight`, `layer2.0.downsample.0.weight`, …):',
    '',
    '```json',
    JSON.stringify(BLOCK, null, 2),
    '```',
    '',
  ].join('\n')
}

const BLOCK = {
  type: 'Sequential',
  name: 'layer2',
  layers: [
    {
      type: 'Residual',
      layers: [
        {
          type: 'Conv2d',
          name: 'conv1',
          in_channels: 64,
          out_channels: 128,
          kernel_size: 3,
          stride: 2,
          padding: 1,
          bias: false,
        },
        { type: 'BatchNorm2d', name: 'bn1', num_features: 128 },
        { type: 'ReLU', name: 'relu' },
        { type: 'Conv2d', name: 'conv2', in_channels: 128, out_channels: 128, kernel_size: 3, padding: 1, bias: false },
        { type: 'BatchNorm2d', name: 'bn2', num_features: 128 },
      ],
      shortcut: {
        type: 'Sequential',
        name: 'downsample',
        layers: [
          { type: 'Conv2d', in_channels: 64, out_channels: 128, kernel_size: 1, stride: 2, bias: false },
          { type: 'BatchNorm2d', num_features: 128 },
        ],
      },
      after: [{ type: 'ReLU' }],
    },
  ],
}
