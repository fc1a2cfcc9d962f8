import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from '@jest/globals'
import {
  decodeGraph,
  describeGraph,
  encodeGraph,
  graphFromOnnx,
  inferShapes,
  type Graph,
} from '../../src/architecture/index.ts'
import { largestDifference, packedNumbers, runGraph, type PackedTensor } from './architecture-session.ts'
import { findPython } from './python.ts'

/** What architecture_export.py says of one export. */
interface Export {
  readonly model: string
  readonly way: string
  readonly file: string
  readonly error: string | null
  readonly state: Readonly<Record<string, PackedTensor>>
  readonly input: PackedTensor
  readonly output: PackedTensor
}

const PROGRAM = fileURLToPath(new URL('architecture_export.py', import.meta.url))

const python = findPython(['torch', 'onnx', 'onnxscript'])
const folder = mkdtempSync(join(tmpdir(), 'nograd-onnx-'))
afterAll(() => rmSync(folder, { recursive: true }))

function exportAll(): readonly Export[] {
  if (python === null) return []
  execFileSync(python, [PROGRAM, folder], { stdio: 'ignore', env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' } })
  return JSON.parse(readFileSync(join(folder, 'answers.json'), 'utf8')) as readonly Export[]
}

const withPython = python === null ? describe.skip : describe

withPython('ONNX files from torch.onnx.export', () => {
  const all = exportAll()
  const exported = all.filter(({ error }) => error === null)
  const meant = exported.filter(({ way }) => !way.endsWith('defaults'))

  test('PyTorch could export all but what it says it cannot', () => {
    const failed = all.filter(({ error }) => error !== null)
    expect(failed.map(({ model, way }) => `${model} ${way}`)).toEqual(['transformer torchscript-13'])
    expect(meant.length).toBeGreaterThan(50)
  })

  test.each(meant.map((entry) => [`${entry.model} ${entry.way}`, entry] as const))(
    '%s: keys of the state_dict, and the output of PyTorch',
    async (_, { model, way, file, state, input, output }) => {
      const graph = graphFromOnnx(readFileSync(file))

      const keys = graph.parameters.flatMap((parameter) => parameter.keys)
      for (const { name, dtype, shape } of graph.parameters) expect({ dtype, shape }).toEqual(shapeOf(state[name]!))
      expect(Object.keys(state).filter((key) => !keys.includes(key))).toEqual(notInFile(model, way))
      expect(keys.filter((key) => !(key in state))).toEqual([])

      const found = await runGraph(graph, state, input)
      expect(found.shape).toEqual(output.shape)
      expect(largestDifference(found.numbers, packedNumbers(output))).toBeLessThan(1e-5)
      expect(graph.outputs[0]!.shape).toEqual(['N', ...output.shape.slice(1)])
    },
  )

  test.each(
    meant.filter(({ way }) => /-(13|20|23)$/.test(way)).map((entry) => [`${entry.model} ${entry.way}`, entry] as const),
  )('%s: every value has the shape that ONNX Runtime gives it', async (_, { file, state, input }) => {
    const graph = graphFromOnnx(readFileSync(file))
    const batch = input.shape[0]!
    const shapes = inferShapes(graph, batch)
    const names = graph.nodes.flatMap(({ outputs }) => outputs).filter((name) => name !== '')
    const open: Graph = { ...graph, outputs: names.map((name) => inferShapes(graph).get(name)!) }
    const values = await runGraph(open, state, input)
    for (const [name, { dims }] of Object.entries(values.all))
      expect([name, shapes.get(name)!.shape]).toEqual([name, [...dims]])
    expect(Object.keys(values.all)).toHaveLength(names.length)
  })

  test.each(
    exported
      .filter(({ way }) => way.endsWith('defaults'))
      .map((entry) => [`${entry.model} ${entry.way}`, entry] as const),
  )('%s: refused, because weights were folded', (_, { file }) => {
    expect(() => graphFromOnnx(readFileSync(file))).toThrow(
      expect.objectContaining({
        code: 'ARCHITECTURE_NOT_STATE_DICT_KEYS',
        message: expect.stringMatching(/keep_initializers_as_inputs=True.*\n.*TrainingMode.PRESERVE/),
      }),
    )
  })

  test.each(meant.map((entry) => [`${entry.model} ${entry.way}`, entry] as const))(
    '%s: is stored and read back',
    (_, { file, state }) => {
      const graph = graphFromOnnx(readFileSync(file))
      expect(decodeGraph(encodeGraph(graph))).toEqual(graph)
      expect(describeGraph(graph).nodes).toHaveLength(graph.nodes.length)
      const weights = Object.entries(state).filter(([key]) => !/running_|num_batches|mean$|order$|unused/.test(key))
      const tied = 'embed.weight' in state && 'head.weight' in state && 'mid.weight' in state
      const learned = weights.filter(([key]) => !(tied && key === 'head.weight'))
      const count = learned.reduce((sum, [, { shape }]) => sum + shape.reduce((product, size) => product * size, 1), 0)
      const buffers = graph.parameters.filter(({ name }) => name === 'mean').length * 2
      expect(describeGraph(graph).parameterCount).toBe(count + buffers)
    },
  )

  test('tied weights have both keys where the exporter noted them', () => {
    const tied = meant.filter(({ model, way }) => model === 'tied' && way.startsWith('dynamo'))
    expect(tied.length).toBeGreaterThan(1)
    for (const { file } of tied)
      expect(
        graphFromOnnx(readFileSync(file)).parameters.flatMap(({ keys }) => (keys.length > 1 ? [keys] : [])),
      ).toEqual([['head.weight', 'embed.weight']])
  })
})

const shapeOf = ({ dtype, shape }: PackedTensor): object => ({ dtype, shape })

/** Keys of a state_dict that no ONNX file can tell of. */
function notInFile(model: string, way: string): readonly string[] {
  // The exporter drops layers that forward does not use, and TorchScript forgets the second name of a tied weight.
  if (model === 'buffers') return ['unused.weight', 'unused.bias']
  if (model === 'tied' && way.startsWith('torchscript')) return ['head.weight']
  return []
}
