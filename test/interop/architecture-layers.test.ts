import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import { describeGraph, graphFromLayers, LAYER_TYPES } from '../../src/architecture/index.ts'
import { CHOSEN_LISTS } from '../architecture/layer-lists.ts'
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

const python = findPython(['torch'])
const withPython = python === null ? describe.skip : describe

withPython('layer lists and torch.nn', () => {
  const cases = [...CHOSEN_LISTS, ...Array.from({ length: 200 }, (_, seed) => randomLayerList(seed + 1))]
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
    expect([...used].map((text) => text.slice(8, -1)).sort()).toEqual([...LAYER_TYPES])
  })
})
