import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { graphFromLayers, graphFromOnnx } from '../../src/architecture/index.ts'
import { threadedEngine, type ThreadedEngine } from '../../src/engine/index.ts'
import { typedArrayOf, type Tensor } from '../../src/tensor/index.ts'
import { residualNetwork } from '../architecture/layer-lists.ts'
import { compiled } from '../compiled.ts'
import { nativeTensorflow } from '../engine/native-tensorflow.ts'
import { parameterFile } from '../engine/parameter-file.ts'
import { tensorflowOn } from '../engine/tensorflow-backends.ts'
import { webgpuAdapter } from '../engine/webgpu-adapter.ts'
import { packedBytes, packedNumbers, runGraph, type PackedTensor } from './architecture-session.ts'
import { findPython, pythonFinds } from './python.ts'

/** What model_families.py says of one export. */
interface Family {
  readonly model: string
  readonly way: string
  readonly file: string
  readonly error: string | null
  readonly state: Readonly<Record<string, PackedTensor>>
  readonly inputs: Readonly<Record<string, PackedTensor>>
  readonly output: PackedTensor
}

/** Every model in every opset, which takes a quarter of an hour; by default one of each exporter. */
const EVERYTHING = process.env['NOGRAD_ALL_OPSETS'] === '1'
/** What PyTorch's older exporter says that it cannot do, before anything of ours is asked. */
const NOT_EXPORTED =
  /scaled_dot_product_attention.* to ONNX opset version 13|adaptive_avg_pool2d, output size|instance_norm training/

const python = findPython(['torch', 'onnx', 'onnxscript'])
const folder = mkdtempSync(join(tmpdir(), 'nograd-families-'))
afterAll(() => rmSync(folder, { recursive: true }))

function exported(): readonly Family[] {
  if (python === null) return []
  const program = fileURLToPath(new URL('model_families.py', import.meta.url))
  execFileSync(python, [program, folder, ...(EVERYTHING ? ['all'] : [])], {
    stdio: 'ignore',
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
  })
  return JSON.parse(readFileSync(join(folder, 'answers.json'), 'utf8')) as readonly Family[]
}

const ENGINES: readonly (readonly [
  name: string,
  device: string,
  there: boolean,
  open: () => Promise<ThreadedEngine>,
])[] = [
  ['onnxruntime', 'cpu', true, () => threadedEngine(compiled('engine/onnxruntime/index.js'))],
  ['tensorflow in JavaScript', 'cpu', true, () => tensorflowOn('cpu', folder)],
  ['tensorflow', 'cpu', nativeTensorflow, () => tensorflowOn('tensorflow', folder)],
  ['onnxruntime', 'webgpu', webgpuAdapter, () => threadedEngine(compiled('engine/onnxruntime/index.js'))],
]

const all = exported()
const families = all.filter(({ error }) => error === null)

if (python === null) test.skip('model families need a Python with torch, onnx and onnxscript', () => undefined)
else {
  test('PyTorch exports all but what it says it cannot', () => {
    for (const { model, way, error } of all)
      if (error !== null) expect(`${model} ${way}: ${error}`).toMatch(NOT_EXPORTED)
    expect(families.length).toBeGreaterThan(all.length * 0.9)
  })

  const image = pythonFinds('torchvision') ? test : test.skip
  image('the models of torchvision are among them', () => {
    const names = new Set(families.map(({ model }) => model))
    for (const name of ['ResNet', 'MobileNetV3', 'ConvNeXt', 'ViT', 'SwinV2', 'DenseNet']) expect(names).toContain(name)
  })

  test.each(families.map((family) => [`${family.model} ${family.way}`, family] as const))(
    '%s: its parameters are the keys of the state_dict',
    (_, { file, state }) => {
      const keys = graphFromOnnx(readFileSync(file)).parameters.flatMap((parameter) => parameter.keys)
      const expected = Object.keys(state).filter((key) => !key.endsWith('num_batches_tracked'))
      expect(keys.filter((key) => !key.endsWith('num_batches_tracked')).sort()).toEqual(expected.sort())
    },
  )
}

/** What torchvision calls a ResNet is also a list of layers, with the same keys. */
const resnets = families.filter(({ model }) => model === 'ResNet')
const suiteOfLists = resnets.length > 0 ? describe : describe.skip
suiteOfLists('a list of layers of a ResNet', () => {
  test.each(resnets.map((family) => [family.way, family] as const))(
    'has the keys and logits of %s',
    async (_, family) => {
      const graph = graphFromLayers(residualNetwork([64, 128, 256, 512]))
      expect(graph.parameters.map(({ name }) => name)).toEqual(Object.keys(family.state))
      const found = await runGraph(graph, family.state, family.inputs['x']!)
      const expected = packedNumbers(family.output)
      const largest = Math.max(...expected.map(Math.abs))
      const difference = Math.max(...expected.map((number, i) => Math.abs(number - found.numbers[i]!)))
      expect(difference).toBeLessThanOrEqual(1e-4 * largest)
    },
  )

  if (resnets.length === 0) test('needs torchvision', () => undefined)
})

for (const [name, device, there, open] of ENGINES) {
  const suite = there && families.length > 0 ? describe : describe.skip
  suite(`${name} on ${device} gives the logits of PyTorch`, () => {
    let engine: ThreadedEngine
    beforeAll(async () => {
      engine = await open()
    })
    afterAll(() => engine[Symbol.asyncDispose]())

    for (const family of families)
      test(`${family.model} ${family.way}`, async () => {
        const graph = graphFromOnnx(readFileSync(family.file))
        const weights = Object.fromEntries(
          Object.entries(family.state).map(([key, tensor]) => [key, typedArrayOf(tensor.dtype, packedBytes(tensor))]),
        )
        const parameters = await parameterFile(join(folder, `${name} ${device}.weights`), graph, weights)
        await using session = await engine.load(graph, parameters, device, { threads: 1 })
        const { outputs } = await session.run(
          new Map(
            Object.entries(family.inputs).map(([key, { dtype, shape, data }]): [string, Tensor] => [
              key,
              { dtype, shape, data: typedArrayOf(dtype, packedBytes({ dtype, shape, data })) },
            ]),
          ),
        )
        const found = outputs.get(graph.outputs[0]!.name)!
        expect([...found.shape]).toEqual(family.output.shape)
        const expected = packedNumbers(family.output)
        const largest = Math.max(...expected.map(Math.abs))
        // Random weights, and answers that depend on the sample: a constant would prove nothing.
        expect(new Set(expected).size).toBeGreaterThan(expected.length / 2)
        const difference = Math.max(...expected.map((number, i) => Math.abs(number - Number(found.data[i]))))
        expect(difference).toBeLessThanOrEqual(1e-4 * largest)
      })

    if (families.length === 0) test('needs PyTorch', () => undefined)
  })
}
