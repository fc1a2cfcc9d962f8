import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import { describeGraph, graphFromLayers } from '../../src/architecture/index.ts'
import { randomLayerList, type LayerList } from '../architecture/random-layers.ts'
import { largestDifference, packedNumbers, runGraph, type PackedTensor } from './architecture-session.ts'
import { findPython } from './python.ts'

interface Answer {
  readonly parameters: number
  readonly state: Readonly<Record<string, PackedTensor>>
  readonly input: PackedTensor
  readonly output: PackedTensor
  /** How far PyTorch itself is from what it computes in double precision. */
  readonly rounding: number
}

const PROGRAM = fileURLToPath(new URL('architecture_layers.py', import.meta.url))

const askPyTorch = (python: string, cases: readonly LayerList[]): readonly Answer[] =>
  JSON.parse(
    execFileSync(python, [PROGRAM], {
      input: JSON.stringify(cases),
      encoding: 'utf8',
      maxBuffer: 2 ** 29,
      stdio: ['pipe', 'pipe', 'ignore'],
    }),
  ) as Answer[]

// Arguments whose combination random lists meet too seldom.
const CHOSEN: readonly LayerList[] = [
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
]

const python = findPython(['torch'])
const withPython = python === null ? describe.skip : describe

withPython('layer lists and torch.nn', () => {
  const cases = [...CHOSEN, ...Array.from({ length: 200 }, (_, seed) => randomLayerList(seed + 1))]
  const answers = python === null ? [] : askPyTorch(python, cases)

  test.each(cases.map((list, i) => [i, JSON.stringify(list), list] as const))(
    'case %i has the keys, shapes and output of PyTorch: %s',
    async (i, _, list) => {
      const answer = answers[i]!
      const graph = graphFromLayers(list)

      const expected = Object.entries(answer.state).map(([key, { dtype, shape }]) => [key, dtype, shape])
      expect(graph.parameters.map(({ name, dtype, shape }) => [name, dtype, shape])).toEqual(expected)
      expect(describeGraph(graph).parameterCount).toBe(answer.parameters)
      expect(graph.outputs[0]!.shape).toEqual(['N', ...answer.output.shape.slice(1)])

      const found = await runGraph(graph, answer.state, answer.input)
      expect(found.shape).toEqual(answer.output.shape)
      // Normalizing nearly equal numbers magnifies rounding, that of PyTorch too.
      const tolerance = Math.max(1e-5, 10 * answer.rounding)
      expect(tolerance).toBeLessThan(1e-3)
      expect(largestDifference(found.numbers, packedNumbers(answer.output))).toBeLessThan(tolerance)
    },
  )

  test('the lists use every layer', () => {
    const used = new Set(JSON.stringify(cases).match(/"type":"\w+"/g))
    expect([...used].map((text) => text.slice(8, -1)).sort()).toEqual(
      'AdaptiveAvgPool2d AvgPool2d BatchNorm1d BatchNorm2d Conv1d Conv2d Dropout Dropout2d ELU Embedding Flatten GELU GroupNorm Hardswish Identity LayerNorm LeakyReLU Linear MaxPool2d ReLU Sequential SiLU Sigmoid Softmax Tanh Unflatten'.split(
        ' ',
      ),
    )
  })
})
