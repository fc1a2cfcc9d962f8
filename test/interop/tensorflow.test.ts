import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { graphFromLayers, graphFromOnnx, type Graph } from '../../src/architecture/index.ts'
import type { ThreadedEngine } from '../../src/engine/index.ts'
import { typedArrayOf, type Tensor } from '../../src/tensor/index.ts'
import { CHOSEN_LISTS } from '../architecture/layer-lists.ts'
import { randomLayerList, type LayerList } from '../architecture/random-layers.ts'
import { nativeTensorflow } from '../engine/native-tensorflow.ts'
import { parameterFile } from '../engine/parameter-file.ts'
import { BACKENDS, tensorflowOn } from '../engine/tensorflow-backends.ts'
import { packedBytes, packedNumbers, type PackedTensor } from './architecture-session.ts'
import { findPython } from './python.ts'

/** What PyTorch computes with a model. */
interface Answer {
  readonly state: Readonly<Record<string, PackedTensor>>
  readonly input: PackedTensor
  readonly output: PackedTensor
}

interface Export extends Answer {
  readonly model: string
  readonly way: string
  readonly file: string
  readonly error: string | null
}

const programOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
const OPTIONS = { encoding: 'utf8', maxBuffer: 2 ** 29, env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' } } as const

const python = findPython(['torch', 'onnx', 'onnxscript'])
const folder = mkdtempSync(join(tmpdir(), 'nograd-tensorflow-test-'))
afterAll(() => rmSync(folder, { recursive: true }))

type Case = readonly [name: string, graph: Graph, answer: Answer]

function layerLists(): readonly Case[] {
  if (python === null) return []
  const lists: readonly LayerList[] = [
    ...CHOSEN_LISTS,
    ...Array.from({ length: 150 }, (_, seed) => randomLayerList(seed + 1000)),
  ]
  const answers = JSON.parse(
    execFileSync(python, [programOf('architecture_layers.py')], { ...OPTIONS, input: JSON.stringify(lists) }),
  ) as readonly Answer[]
  return lists.map((list, i) => [`${i} ${JSON.stringify(list)}`, graphFromLayers(list), answers[i]!] as const)
}

function exports(): readonly Case[] {
  if (python === null) return []
  execFileSync(python, [programOf('architecture_export.py'), folder], { ...OPTIONS, stdio: 'ignore' })
  const all = JSON.parse(readFileSync(join(folder, 'answers.json'), 'utf8')) as readonly Export[]
  return all
    .filter(({ error, way }) => error === null && !way.endsWith('defaults'))
    .map((entry) => [`${entry.model} ${entry.way}`, graphFromOnnx(readFileSync(entry.file)), entry] as const)
}

const cases = [...layerLists(), ...exports()]

for (const backend of BACKENDS) {
  const there = python !== null && (backend !== 'tensorflow' || nativeTensorflow)
  const suite = there ? describe : describe.skip
  suite(`the engine tensorflow on the backend ${backend} gives the logits of PyTorch`, () => {
    let engine: ThreadedEngine
    beforeAll(async () => {
      engine = await tensorflowOn(backend, folder)
    })
    afterAll(() => engine[Symbol.asyncDispose]())

    for (const [name, graph, answer] of cases)
      test(name, async () => {
        const { state, input, output } = answer
        const values = Object.fromEntries(
          Object.entries(state).map(([name, tensor]) => [name, typedArrayOf(tensor.dtype, packedBytes(tensor))]),
        )
        const parameters = await parameterFile(join(folder, `${backend}.weights`), graph, values)
        await using session = await engine.load(graph, parameters, 'cpu', { threads: 1 })
        const x: Tensor = {
          dtype: input.dtype,
          shape: input.shape,
          data: typedArrayOf(input.dtype, packedBytes(input)),
        }
        const { outputs } = await session.run(new Map([[graph.inputs[0]!.name, x]]))
        const found = outputs.get(graph.outputs[0]!.name)!
        expect([...found.shape]).toEqual(output.shape)
        const expected = packedNumbers(output)
        const largest = expected.reduce((most, number) => Math.max(most, Math.abs(number)), 0)
        const difference = expected.reduce(
          (most, number, i) => Math.max(most, Math.abs(number - Number(found.data[i]))),
          0,
        )
        expect(difference).toBeLessThanOrEqual(1e-4 * largest)
      })

    if (python === null) test('needs PyTorch', () => undefined)
  })
}
