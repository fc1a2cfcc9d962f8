import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { describeGraph, graphFromLayers, LAYER_TYPES } from '../../src/architecture/index.ts'
import { AppError } from '../../src/error.ts'
import { stateDictOf } from './fixture.ts'

const fixture = (name: string): URL => new URL(`../fixtures/${name}`, import.meta.url)
const digits = JSON.parse(readFileSync(fixture('digits_cnn.layers.json'), 'utf8')) as {
  layers: object[]
  input: number[]
}

/** The error that a layer list gives. */
function refusal(json: unknown): AppError {
  try {
    graphFromLayers(json)
  } catch (error) {
    if (error instanceof AppError) return error
    throw error
  }
  throw new Error('it was accepted')
}

const list = (input: readonly number[], ...layers: readonly object[]): object => ({ layers, input })

describe('graphFromLayers', () => {
  test('digits_cnn has the keys, dtypes and shapes that PyTorch saved, in their order', () => {
    const graph = graphFromLayers(digits)
    expect(graph.parameters.map(({ name, dtype, shape }) => [name, dtype, shape])).toEqual(
      // make_fixtures.py saved them in the order of names; torch's order is that of the layers.
      expect.arrayContaining(stateDictOf('digits_cnn.safetensors')),
    )
    expect(graph.parameters).toHaveLength(stateDictOf('digits_cnn.safetensors').length)
    expect(graph.parameters.filter(({ optional }) => optional).map(({ name }) => name)).toEqual([
      '1.num_batches_tracked',
      '4.num_batches_tracked',
    ])
    expect(graph.inputs).toEqual([{ name: 'input', dtype: 'float32', shape: ['N', 1, 8, 8] }])
    expect(graph.outputs).toEqual([{ name: 'output', dtype: 'float32', shape: ['N', 10] }])
  })

  test('is described by nodes with shapes and parameter counts', () => {
    const { nodes, parameterCount } = describeGraph(graphFromLayers(digits))
    expect(
      nodes.map(({ name, op, outputShape, parameterCount: count }) => [name, op, outputShape.join(), count]),
    ).toEqual([
      ['0', 'Conv', 'N,16,8,8', 160],
      ['1', 'BatchNormalization', 'N,16,8,8', 32],
      ['2', 'Relu', 'N,16,8,8', 0],
      ['3', 'Conv', 'N,32,8,8', 4640],
      ['4', 'BatchNormalization', 'N,32,8,8', 64],
      ['5', 'Relu', 'N,32,8,8', 0],
      ['6', 'MaxPool', 'N,32,4,4', 0],
      ['8', 'Flatten', 'N,512', 0],
      ['9', 'Gemm', 'N,64', 32832],
      ['10', 'Relu', 'N,64', 0],
      ['12', 'Gemm', 'N,10', 650],
    ])
    expect(parameterCount).toBe(38378)
  })

  test('nested and named layers give the keys of nn.Sequential', () => {
    const linear = { type: 'Linear', in_features: 4, out_features: 4 }
    const graph = graphFromLayers(
      list(
        [4],
        linear,
        { type: 'Sequential', name: 'body', layers: [{ type: 'Tanh' }, { ...linear, name: 'fc' }] },
        {
          type: 'Sequential',
          layers: [{ type: 'Sequential', layers: [linear] }],
        },
      ),
    )
    expect(graph.parameters.map(({ name }) => name)).toEqual(
      ['0', 'body.fc', '2.0.0'].flatMap((module) => [`${module}.weight`, `${module}.bias`]),
    )
  })

  const linear = { type: 'Linear', in_features: 8, out_features: 2 }
  const conv = { type: 'Conv2d', in_channels: 3, out_channels: 4, kernel_size: 3 }
  const cases: readonly (readonly [json: unknown, code: string, ...parts: readonly string[]])[] = [
    [null, 'ARCHITECTURE_INVALID', 'the layer list', 'null'],
    [[], 'ARCHITECTURE_INVALID', 'an object with "layers" and "input"'],
    [{ layers: [linear] }, 'ARCHITECTURE_INVALID', 'input is missing', '[1, 8, 8]'],
    [{ layer: [linear], input: [8] }, 'ARCHITECTURE_INVALID', 'unknown argument "layer"', 'did you mean "layers"?'],
    [{ layers: [], input: [8] }, 'ARCHITECTURE_INVALID', 'the list is empty'],
    [{ layers: [linear], input: [8, 0] }, 'ARCHITECTURE_INVALID', 'input[1]', 'positive', 'found 0'],
    [{ layers: [linear], input: 8 }, 'ARCHITECTURE_INVALID', 'input: expected', 'found 8'],
    [{ layers: [linear], input: [8], inputDtype: 'float16' }, 'ARCHITECTURE_INVALID', 'inputDtype', '"float16"'],
    [
      list([8], { type: 'Linaer', in_features: 8 }),
      'ARCHITECTURE_UNSUPPORTED_OPERATOR',
      'layers[0]',
      '"Linaer"',
      'did you mean "Linear"?',
    ],
    [list([8], { type: 'nn.relu' }), 'ARCHITECTURE_UNSUPPORTED_OPERATOR', 'did you mean "ReLU"?'],
    [list([8], { type: 'Quaternion' }), 'ARCHITECTURE_UNSUPPORTED_OPERATOR', 'Supported are AdaptiveAvgPool2d', 'ONNX'],
    [list([8], {}), 'ARCHITECTURE_INVALID', 'layers[0]', 'type: expected the name of a torch.nn layer'],
    [
      list([8], linear, 'ReLU' as unknown as object),
      'ARCHITECTURE_INVALID',
      'layers[1]',
      'expected an object',
      '"ReLU"',
    ],
    [
      list([8], { ...linear, in_feature: 8 }),
      'ARCHITECTURE_INVALID',
      'layers[0] (Linear)',
      'unknown argument "in_feature"; did you mean "in_features"?',
    ],
    [
      list([8], { type: 'Linear', in_features: 8 }),
      'ARCHITECTURE_INVALID',
      'layers[0] (Linear)',
      'out_features is missing',
      'positive whole number',
    ],
    [
      list([8], { ...linear, out_features: '2' }),
      'ARCHITECTURE_INVALID',
      'out_features: expected a positive whole number, found "2"',
    ],
    [list([8], { ...linear, out_features: 2.5 }), 'ARCHITECTURE_INVALID', 'out_features', '2.5'],
    [list([8], { ...linear, bias: 1 }), 'ARCHITECTURE_INVALID', 'bias: expected true or false, found 1'],
    [
      list([1568], { ...linear, in_features: 512 }),
      'ARCHITECTURE_INVALID',
      'layers[0] (Linear): expects 512 features, the layer before gives [N, 1568]',
    ],
    [
      list([8], {
        type: 'Sequential',
        layers: [{ type: 'ReLU' }, { type: 'Sequential', layers: [{ type: 'Dropout', p: 2 }] }],
      }),
      'ARCHITECTURE_INVALID',
      'layers[0].layers[1].layers[0] (Dropout)',
      'probability',
      'found 2',
    ],
    [list([8], { type: 'Sequential' }), 'ARCHITECTURE_INVALID', 'layers[0] (Sequential)', 'a list of layers'],
    [
      list([8], { type: 'Sequential', layers: [], inplace: true }),
      'ARCHITECTURE_INVALID',
      'unknown argument "inplace"',
    ],
    [list([8], { ...linear, name: 'a.b' }), 'ARCHITECTURE_INVALID', 'layers[0]', 'without dots'],
    [list([8], { ...linear, name: '1' }, { type: 'ReLU' }), 'ARCHITECTURE_INVALID', 'layers[1]', '"1"'],
    [
      list([1, 8, 8], conv),
      'ARCHITECTURE_INVALID',
      'layers[0] (Conv2d): expects 3 channels, the layer before gives [N, 1, 8, 8]',
    ],
    [list([3, 64], conv), 'ARCHITECTURE_INVALID', 'expects [N, 3, height, width]', '[N, 3, 64]'],
    [list([3, 2, 8], conv), 'ARCHITECTURE_INVALID', 'its kernel covers 3 positions', '[N, 3, 2, 8]'],
    [list([3, 8, 8], { ...conv, groups: 2 }), 'ARCHITECTURE_INVALID', 'in_channels 3 is not divisible by groups 2'],
    [
      list([3, 8, 8], { ...conv, padding_mode: 'reflect' }),
      'ARCHITECTURE_INVALID',
      'padding_mode',
      '"zeros"',
      '"reflect"',
    ],
    [
      list([3, 8, 8], { ...conv, padding: 'same', stride: 2 }),
      'ARCHITECTURE_INVALID',
      'padding "same" is not supported for strided',
    ],
    [
      list([3, 8, 8], { ...conv, kernel_size: [3, 3, 3] }),
      'ARCHITECTURE_INVALID',
      'kernel_size: expected',
      '[3, 3, 3]',
    ],
    [list([3, 8, 8], { type: 'BatchNorm2d', num_features: 4 }), 'ARCHITECTURE_INVALID', 'expects 4 channels'],
    [
      list([3, 8, 8], { type: 'BatchNorm1d', num_features: 3 }),
      'ARCHITECTURE_INVALID',
      '[N, channels, length]',
      '[N, 3, 8, 8]',
    ],
    [
      list([3], { type: 'BatchNorm1d', num_features: 3, track_running_stats: false }),
      'ARCHITECTURE_INVALID',
      'track_running_stats',
      'put into batches',
    ],
    [
      list([3, 8, 8], { type: 'MaxPool2d', kernel_size: 2, return_indices: true }),
      'ARCHITECTURE_INVALID',
      'return_indices',
      'found true',
    ],
    [
      list([3, 8, 8], { type: 'MaxPool2d', kernel_size: 2, padding: 2 }),
      'ARCHITECTURE_INVALID',
      'padding 2 is more than half of the kernel size 2',
    ],
    [list([3, 1, 8], { type: 'MaxPool2d', kernel_size: 2 }), 'ARCHITECTURE_INVALID', 'does not fit'],
    [
      list([3, 1, 8], { type: 'MaxPool2d', kernel_size: 2, padding: 1, dilation: 2 }),
      'ARCHITECTURE_INVALID',
      'nothing but padding',
    ],
    [list([3, 8], { type: 'Softmax', dim: 0 }), 'ARCHITECTURE_INVALID', 'dim 0 is the batch'],
    [list([3, 8], { type: 'Softmax' }), 'ARCHITECTURE_INVALID', 'without dim, torch takes the batch'],
    [list([3, 8], { type: 'Softmax', dim: 3 }), 'ARCHITECTURE_INVALID', 'dim 3 is outside'],
    [list([3, 8], { type: 'Flatten', start_dim: 0 }), 'ARCHITECTURE_INVALID', 'start_dim 0 is the batch'],
    [list([3, 8], { type: 'Flatten', start_dim: 2, end_dim: 1 }), 'ARCHITECTURE_INVALID', 'comes after end_dim'],
    [list([8], { type: 'Unflatten', dim: 1, unflattened_size: [3, -1] }), 'ARCHITECTURE_INVALID', '[3, -1]', 'size 8'],
    [
      list([8], { type: 'Unflatten', dim: 'x', unflattened_size: [8] }),
      'ARCHITECTURE_INVALID',
      'dim: expected a whole number',
    ],
    [
      list([8], { type: 'GELU', approximate: 'erf' }),
      'ARCHITECTURE_INVALID',
      'approximate: expected "none" or "tanh", found "erf"',
    ],
    [
      list([8], { type: 'GroupNorm', num_groups: 3, num_channels: 8 }),
      'ARCHITECTURE_INVALID',
      'num_channels 8 is not divisible by num_groups 3',
    ],
    [
      list([2, 8], { type: 'LayerNorm', normalized_shape: [3, 8] }),
      'ARCHITECTURE_INVALID',
      '[N, …, 3, 8]',
      '[N, 2, 8]',
    ],
    [
      list([8], { type: 'Embedding', num_embeddings: 5, embedding_dim: 2 }),
      'ARCHITECTURE_INVALID',
      '"inputDtype": "int64"',
    ],
    [
      { layers: [linear], input: [8], inputDtype: 'int64' },
      'ARCHITECTURE_INVALID',
      'expects float32, the layer before gives int64',
    ],
    [
      {
        layers: [{ type: 'Embedding', num_embeddings: 5, embedding_dim: 2, max_norm: 1 }],
        input: [8],
        inputDtype: 'int64',
      },
      'ARCHITECTURE_INVALID',
      'max_norm',
    ],
    [
      list(
        [8],
        { ...linear, out_features: 2 ** 31 - 1 },
        { type: 'Linear', in_features: 2 ** 31 - 1, out_features: 2 ** 31 - 1 },
      ),
      'LIMIT_EXCEEDED',
      'layers[1] (Linear)',
      'weight',
    ],
    [list([2 ** 31 - 1, 2 ** 31 - 1], { type: 'ReLU' }), 'LIMIT_EXCEEDED', 'input'],
    [list([1, 3, 3], { type: 'AdaptiveAvgPool2d', output_size: 2 ** 20 - 1 }), 'LIMIT_EXCEEDED', 'layers[0]'],
    [list([2, 100_000, 3], { type: 'AdaptiveAvgPool2d', output_size: [70_000, 2] }), 'LIMIT_EXCEEDED', 'tables'],
    [
      list([2 ** 27], { type: 'LayerNorm', normalized_shape: 2 ** 27, elementwise_affine: false }),
      'LIMIT_EXCEEDED',
      'layers[0] (LayerNorm)',
    ],
    [list([8], ...Array.from({ length: 10_001 }, () => ({ type: 'ReLU' }))), 'LIMIT_EXCEEDED', 'layers[10000]'],
    [nested(100), 'LIMIT_EXCEEDED', 'nested more than 64'],
    [
      JSON.parse(`{"layers": [{"type": "ReLU", "__proto__": ${'['.repeat(5000)}${']'.repeat(5000)}}], "input": [2]}`),
      'ARCHITECTURE_INVALID',
      'unknown argument "__proto__"',
    ],
  ]
  test.each(cases.map((one, i) => [i, ...one] as const))(
    'case %i is refused, saying where and what',
    (_, json, code, ...parts) => {
      const error = refusal(json)
      expect(error.code).toBe(code)
      for (const part of parts) expect(error.message).toContain(part)
    },
  )

  test('all layers that the layer list promises are there', () => {
    expect(LAYER_TYPES).toEqual(
      'AdaptiveAvgPool2d AvgPool2d BatchNorm1d BatchNorm2d Conv1d Conv2d ConvTranspose2d Dropout Dropout2d ELU Embedding Flatten GELU GRU GroupNorm Hardswish Identity InstanceNorm1d InstanceNorm2d LSTM LayerNorm LeakyReLU Linear MaxPool2d MultiheadAttention RNN ReLU Residual Sequential SiLU Sigmoid Softmax Tanh TransformerEncoderLayer Unflatten Upsample'.split(
        ' ',
      ),
    )
  })
})

function nested(depth: number): object {
  let layers: object[] = [{ type: 'ReLU' }]
  for (let i = 0; i < depth; i++) layers = [{ type: 'Sequential', layers }]
  return { layers, input: [3] }
}
