import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { join } from 'node:path'
import type { Graph } from '../../src/architecture/index.ts'
import type { ThreadedEngine } from '../../src/engine/index.ts'
import { LACKS } from '../../src/engine/tensorflow/index.ts'
import { lackingOf } from '../../src/engine/index.ts'
import { loadLibrary, type Library } from '../../src/engine/tensorflow/library.ts'
import { isNativeThere } from '../../src/engine/tensorflow/native-binding.ts'
import { createSession } from '../../src/engine/tensorflow/tensorflow-session.ts'
import { evaluateCase, expectedLogits, fixtureCase, type FixtureFiles } from '../evaluation/fixture-case.ts'
import { floats, graph, int, ints, linear, node, noise, parameter, value } from './graphs.ts'
import { nativeTensorflow, TENSORFLOW_FOLDER } from './native-tensorflow.ts'
import { parameterFile, temporaryFolder } from './parameter-file.ts'
import { recorded } from './recorded.ts'
import { BACKENDS, tensorflowOn } from './tensorflow-backends.ts'

const FIXTURES: readonly (readonly [string, FixtureFiles])[] = [
  [
    'digits_cnn',
    {
      architecture: 'digits_cnn.layers.json',
      checkpoint: 'digits_cnn.pth',
      dataset: 'digits_test.npz',
      task: 'MULTICLASS',
    },
  ],
  [
    'digits_cnn',
    {
      architecture: 'digits_cnn.onnx',
      checkpoint: 'digits_cnn.safetensors',
      dataset: 'digits_test.npz',
      task: 'MULTICLASS',
    },
  ],
  [
    'digits_cnn_epoch1',
    {
      architecture: 'digits_cnn.onnx',
      checkpoint: 'digits_cnn_epoch1.pth',
      dataset: 'digits_test.npz',
      task: 'MULTICLASS',
    },
  ],
  [
    'cancer_mlp',
    { architecture: 'cancer_mlp.onnx', checkpoint: 'cancer_mlp.pth', dataset: 'cancer_test.csv', task: 'BINARY' },
  ],
]

/** Two branches of convolutions, one of them normalized, that are joined, and what reads a part of the shape while it runs. */
const BRANCHES: Graph = graph({
  opset: 20,
  inputs: [value('x', [3, 6, 5])],
  outputs: [value('y', [7])],
  nodes: [
    node('Conv', ['x', 'a.weight', 'a.bias'], 'a', { kernel_shape: ints(3, 3), pads: ints(1, 1, 1, 1) }),
    node('BatchNormalization', ['a', 'n.weight', 'n.bias', 'n.mean', 'n.var'], 'n'),
    node('Relu', ['n'], 'left'),
    node('Conv', ['x', 'b.weight'], 'right', { kernel_shape: ints(1, 1) }),
    node('Concat', ['left', 'right'], 'joined', { axis: int(1) }),
    node('Shape', ['joined'], 'shape'),
    node('Gather', ['shape', 'zero'], 'batch'),
    node('Unsqueeze', ['batch', 'axes'], 'batch1'),
    node('Concat', ['batch1', 'rest'], 'target', { axis: int(0) }),
    node('Reshape', ['joined', 'target'], 'flat'),
    linear('flat', 'out', 'y'),
  ],
  parameters: [
    parameter('a.weight', [4, 3, 3, 3]),
    parameter('a.bias', [4]),
    ...['weight', 'bias', 'mean', 'var'].map((name) => parameter(`n.${name}`, [4])),
    parameter('b.weight', [2, 3, 1, 1]),
    parameter('out.weight', [7, 180]),
    parameter('out.bias', [7]),
  ],
  constants: [
    { name: 'zero', dtype: 'int64', shape: [], bytes: new Uint8Array(8) },
    { name: 'axes', dtype: 'int64', shape: [1], bytes: new Uint8Array(8) },
    { name: 'rest', dtype: 'int64', shape: [1], bytes: new Uint8Array(BigInt64Array.of(-1n).buffer) },
  ],
})
const VALUES = Object.fromEntries(
  BRANCHES.parameters.map(({ name, shape }, seed) => {
    const values = noise(
      shape.reduce((product, size) => product * size, 1),
      seed + 1,
    )
    return [name, name === 'n.var' ? values.map((x) => Math.abs(x) + 0.1) : values]
  }),
)

for (const backend of BACKENDS) {
  const suite = backend !== 'tensorflow' || nativeTensorflow ? describe : describe.skip
  suite(`TensorFlow.js on its backend ${backend}`, () => {
    let folder: Awaited<ReturnType<typeof temporaryFolder>>
    let engine: ThreadedEngine
    beforeAll(async () => {
      folder = await temporaryFolder()
      engine = await tensorflowOn(backend, folder.path)
    })
    afterAll(async () => {
      await engine[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    })

    test.each(FIXTURES)('%s has PyTorch’s logits, from %o', async (name, files) => {
      const fixture = await fixtureCase(files, folder.path)
      const expected = await expectedLogits(name)
      const { spy, logits } = recorded(engine, fixture.fit.output)
      await evaluateCase(spy, fixture, { batchSize: 64 })
      expect(logits).toHaveLength(expected.length)
      const largest = expected.reduce((most, logit) => Math.max(most, Math.abs(logit)), 0)
      logits.forEach((logit, i) => expect(Math.abs(logit - expected[i]!)).toBeLessThanOrEqual(1e-4 * largest))
    })

    describe('in one session', () => {
      let library: Library
      beforeAll(async () => {
        library = await loadLibrary(backend, TENSORFLOW_FOLDER)
      })
      const open = async () => {
        const parameters = await parameterFile(join(folder.path, 'weights'), BRANCHES, VALUES)
        return createSession(library, BRANCHES, parameters)
      }
      const images = (size: number, seed: number) => new Map([['x', floats([size, 3, 6, 5], noise(size * 90, seed))]])

      test('keeps no tensor and no byte over 1,000 batches, and none when it is released', async () => {
        const { tf } = library
        const empty = tf.memory().numTensors
        {
          await using session = await open()
          for (const size of [8, 3]) await session.run(images(size, 1))
          const { numTensors, numBytes, numDataBuffers } = tf.memory()
          for (let i = 0; i < 1000; i++) await session.run(images(i % 2 === 0 ? 8 : 3, i))
          expect(tf.memory()).toMatchObject({ numTensors, numBytes, numDataBuffers })
          // Batches of other sizes bring plans of their own, and those of the oldest go.
          for (let size = 10; size < 30; size++) await session.run(images(size, 1))
          const after = tf.memory().numTensors
          for (let size = 30; size < 50; size++) await session.run(images(size, 1))
          expect(tf.memory().numTensors).toBe(after)
        }
        expect(tf.memory().numTensors).toBe(empty)
      })

      test('keeps nothing of a batch that fails', async () => {
        const { tf } = library
        await using session = await open()
        await session.run(images(2, 1))
        const before = tf.memory().numTensors
        await expect(session.run(new Map([['x', floats([2, 3, 5, 5], noise(150, 1))]]))).rejects.toMatchObject({
          code: 'ENGINE_FAILED',
        })
        expect(tf.memory().numTensors).toBe(before)
      })

      test('records no gradient: there is no tape before, while and after a batch is computed', async () => {
        const { tf } = library
        const states: unknown[] = []
        const look = () => {
          const { gradientDepth, activeTape } = (tf.engine() as unknown as { state: EngineState }).state
          states.push([gradientDepth, activeTape ?? null])
        }
        const spied = new Proxy(tf, {
          get(target, name) {
            if (name === 'relu') look()
            return Reflect.get(target, name) as unknown
          },
        })
        const parameters = await parameterFile(join(folder.path, 'weights'), BRANCHES, VALUES)
        look()
        await using session = await createSession({ ...library, tf: spied }, BRANCHES, parameters)
        await session.run(images(4, 1))
        look()
        expect(states.length).toBeGreaterThan(2)
        for (const state of states) expect(state).toEqual([0, null])
      })

      test('folds batch normalization, and a shape that is asked for while it runs, away', async () => {
        const { tf } = library
        const called: string[] = []
        let running = false
        const spied = new Proxy(tf, {
          get(target, name) {
            const found = Reflect.get(target, name) as unknown
            if (!running || typeof found !== 'function') return found
            called.push(String(name))
            return found
          },
        })
        const parameters = await parameterFile(join(folder.path, 'weights'), BRANCHES, VALUES)
        await using session = await createSession({ ...library, tf: spied }, BRANCHES, parameters)
        await session.run(images(4, 1))
        running = true
        await session.run(images(4, 1))
        const computed = called.filter((name) => !['tidy', 'tensor'].includes(name))
        // One transpose to channels at the end, one back before the elements are put into a row.
        expect(computed.sort()).toEqual(
          [
            ...['add', 'add', 'concat', 'conv2d', 'matMul', 'relu', 'reshape', 'transpose', 'transpose'],
            // The convolution by elements is a product of matrices.
            ...['matMul', 'reshape', 'reshape', 'reshape'],
          ].sort(),
        )
      })
    })

    test('refuses a graph with an operator that it lacks, and names it', async () => {
      const strange = graph({ nodes: [node('Relu', ['x'], 'z'), { ...node('Unheard', ['z'], 'y'), domain: 'mine' }] })
      await expect(engine.load(strange, new Map(), 'cpu', { threads: 1 })).rejects.toMatchObject({
        code: 'ARCHITECTURE_UNSUPPORTED_OPERATOR',
        message: expect.stringMatching(/node "\/y" \(Unheard\).*onnxruntime/) as unknown,
      })
    })

    test('refuses what it cannot do of an operator, and names the node', async () => {
      const indices = graph({
        inputs: [value('x', [1, 4, 4])],
        nodes: [{ ...node('MaxPool', ['x'], 'y', { kernel_shape: ints(2, 2) }), outputs: ['y', 'at'] }],
      })
      await expect(engine.load(indices, new Map(), 'cpu', { threads: 1 })).rejects.toMatchObject({
        code: 'ARCHITECTURE_UNSUPPORTED_OPERATOR',
        message: expect.stringMatching(/node "\/y" \(MaxPool\): .*indices/) as unknown,
      })
    })
  })
}

interface EngineState {
  readonly gradientDepth: number
  readonly activeTape?: unknown
}

describe('what the engine tensorflow cannot execute', () => {
  test('is nothing of the graphs that layers compile to', () => expect(lackingOf(BRANCHES, LACKS)).toEqual([]))

  test('is named: operators, and element types that TensorFlow.js does not have', () => {
    const doubles = graph({
      inputs: [value('x', [2], 'float64')],
      outputs: [value('y', [2], 'float64')],
      nodes: [node('Relu', ['x'], 'y')],
    })
    expect(lackingOf(doubles, LACKS)).toEqual(['float64'])
  })
})

describe('the engine tensorflow without its native library', () => {
  // The package's own install script may have put one into the package.
  const alone = isNativeThere('') ? test.skip : test
  alone('says how to set it up', async () => {
    await using empty = await temporaryFolder()
    await expect(loadLibrary('tensorflow', empty.path)).rejects.toMatchObject({
      code: 'ENGINE_FAILED',
      message: expect.stringContaining('npm run setup:tensorflow') as unknown,
    })
  })
})
