import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createHash } from 'node:crypto'
import { mkdir, readFile, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Graph } from '../../src/architecture/index.ts'
import { type ParameterSource, type Session, type ThreadedEngine } from '../../src/engine/index.ts'
import type { Tensor, TypedArray } from '../../src/tensor/index.ts'
import { floats, graph, int64s, ints, linear, node, noise, parameter, value } from '../engine/graphs.ts'
import { parameterFile, temporaryFolder } from '../engine/parameter-file.ts'

/** A convolution with batch normalisation, dropout and two linear layers: 1×8×8 in, 10 logits out. */
const NETWORK: Graph = graph({
  inputs: [value('x', [1, 8, 8])],
  outputs: [value('logits', [10])],
  nodes: [
    node('Conv', ['x', 'conv.weight', 'conv.bias'], 'a', { kernel_shape: ints(3, 3), pads: ints(1, 1, 1, 1) }),
    node('BatchNormalization', ['a', 'norm.weight', 'norm.bias', 'norm.running_mean', 'norm.running_var'], 'b'),
    node('Relu', ['b'], 'c'),
    node('MaxPool', ['c'], 'd', { kernel_shape: ints(2, 2), strides: ints(2, 2) }),
    node('Dropout', ['d'], 'e'),
    node('Flatten', ['e'], 'f'),
    linear('f', 'hidden', 'g'),
    node('Relu', ['g'], 'h'),
    linear('h', 'out', 'logits'),
  ],
  parameters: [
    parameter('conv.weight', [16, 1, 3, 3]),
    parameter('conv.bias', [16]),
    ...['weight', 'bias', 'running_mean', 'running_var'].map((name) => parameter(`norm.${name}`, [16])),
    parameter('hidden.weight', [64, 256]),
    parameter('hidden.bias', [64]),
    parameter('out.weight', [10, 64]),
    parameter('out.bias', [10]),
  ],
})
const NETWORK_VALUES = Object.fromEntries(
  NETWORK.parameters.map(({ name, shape }, seed) => {
    const values = noise(
      shape.reduce((product, size) => product * size, 1),
      seed + 1,
    )
    // A variance is positive.
    return [name, name.endsWith('var') ? values.map((x) => Math.abs(x) + 0.1) : values]
  }),
)

/**
 * What every engine has to do. `open` starts it in a thread of its own, as a worker does.
 */
export function engineContract(name: string, open: () => Promise<ThreadedEngine>, device: string): void {
  describe(`the engine ${name} on ${device}`, () => {
    let engine: ThreadedEngine
    const loose = device === 'webgpu' || name === 'tensorflow'
    beforeAll(async () => {
      engine = await open()
    })
    afterAll(() => engine[Symbol.asyncDispose]())

    const load = (graph: Graph, parameters: ParameterSource): Promise<Session> =>
      engine.load(graph, parameters, device, { threads: 2 })

    /** Loads a graph with values, runs inputs, and takes everything down again. */
    async function evaluate(
      graph: Graph,
      values: Readonly<Record<string, TypedArray>>,
      inputs: Readonly<Record<string, Tensor>>,
    ): Promise<ReadonlyMap<string, Tensor>> {
      await using folder = await temporaryFolder()
      await using session = await load(graph, await parameterFile(join(folder.path, 'weights'), graph, values))
      return (await session.run(new Map(Object.entries(inputs)))).outputs
    }

    /** Runs the network; the session stays open for the test. */
    async function network() {
      const folder = await temporaryFolder()
      const file = join(folder.path, 'weights')
      const session = await load(NETWORK, await parameterFile(file, NETWORK, NETWORK_VALUES))
      return {
        session,
        file,
        logits: async (images: Float32Array) => {
          const { outputs } = await session.run(new Map([['x', floats([images.length / 64, 1, 8, 8], images)]]))
          return outputs.get('logits')!.data as Float32Array
        },
        async [Symbol.asyncDispose]() {
          await session[Symbol.asyncDispose]()
          await folder[Symbol.asyncDispose]()
        },
      }
    }

    test('says what it is and which devices it has', async () => {
      expect(name.startsWith(engine.name)).toBe(true)
      expect(engine.version).toMatch(/^\d+\.\d+/)
      const devices = await engine.devices()
      expect(devices.map(({ id }) => id)).toContain(device)
      for (const { description } of devices) expect(description).not.toBe('')
    })

    test('refuses a device that is not there, and lists those that are', async () => {
      const devices = (await engine.devices()).map(({ id }) => id)
      for (const wrong of ['cuda:99', 'toaster', ''])
        await expect(engine.load(graph({}), new Map(), wrong, { threads: 1 })).rejects.toMatchObject({
          code: 'DEVICE_UNAVAILABLE',
          message: expect.stringContaining(devices.join(', ')) as unknown,
        })
    })

    test('computes a linear layer', async () => {
      const layer = graph({
        nodes: [linear('x', 'fc', 'y')],
        outputs: [value('y', [3])],
        parameters: [parameter('fc.weight', [3, 2]), parameter('fc.bias', [3])],
      })
      const weights = { 'fc.weight': Float32Array.of(1, 2, 3, 4, 5, 6), 'fc.bias': Float32Array.of(0.5, 0, -0.5) }
      const outputs = await evaluate(layer, weights, { x: floats([2, 2], [1, 10, -1, 0]) })
      expect(outputs.get('y')).toEqual(floats([2, 3], [21.5, 43, 64.5, -0.5, -3, -5.5]))
    })

    test('runs dropout as the identity', async () => {
      const ratio = {
        name: 'ratio',
        dtype: 'float32',
        shape: [],
        bytes: new Uint8Array(Float32Array.of(0.9).buffer),
      } as const
      const dropout = graph({ nodes: [node('Dropout', ['x', 'ratio'], 'y')], constants: [ratio] })
      const x = noise(2000, 5)
      expect((await evaluate(dropout, {}, { x: floats([1000, 2], x) })).get('y')!.data).toEqual(x)
    })

    test('normalises with the running statistics, not with the batch’s', async () => {
      const names = ['weight', 'bias', 'running_mean', 'running_var'].map((part) => `bn.${part}`)
      const norm = graph({
        nodes: [node('BatchNormalization', ['x', ...names], 'y', { epsilon: { kind: 'float', value: 1e-5 } })],
        parameters: names.map((each) => parameter(each, [2])),
      })
      const values = {
        'bn.weight': Float32Array.of(2, 1),
        'bn.bias': Float32Array.of(0.25, -1),
        'bn.running_mean': Float32Array.of(100, -3),
        'bn.running_var': Float32Array.of(4, 0.25),
      }
      const x = [7, 7, 8, 9]
      const y = (await evaluate(norm, values, { x: floats([2, 2], x) })).get('y')!.data as Float32Array
      x.forEach((input, i) => {
        const c = i % 2
        const [w, b, mean, variance] = Object.values(values).map((array) => array[c]!)
        expect(y[i]).toBeCloseTo(((input - mean!) / Math.sqrt(variance! + 1e-5)) * w! + b!, 4)
      })
    })

    test('gives each sample the same logits whatever batch it is in', async () => {
      await using net = await network()
      const images = noise(64 * 64, 99)
      const together = await net.logits(images.slice())
      for (const size of [1, 7, 33])
        for (let first = 0; first < 64; first += size) {
          const apart = await net.logits(images.slice(first * 64, (first + size) * 64))
          apart.forEach((logit, i) => expectClose(logit, together[first * 10 + i]!, loose))
        }
      const reversed = Float32Array.from(
        { length: 64 * 64 },
        (_, i) => images[(63 - Math.floor(i / 64)) * 64 + (i % 64)]!,
      )
      const backwards = await net.logits(reversed)
      backwards.forEach((logit, i) => expectClose(logit, together[(63 - Math.floor(i / 10)) * 10 + (i % 10)]!, loose))
    })

    test('gives the same bits twice, in one session and in two', async () => {
      await using first = await network()
      await using second = await network()
      const images = noise(32 * 64, 7)
      const bits = async ({ logits }: typeof first) => {
        const answer = await logits(images.slice())
        return createHash('sha256').update(answer).digest('hex')
      }
      const expected = await bits(first)
      expect(await bits(first)).toBe(expected)
      expect(await bits(second)).toBe(expected)
    })

    test('only runs forward: it gives the outputs of the graph, and the weights stay as they are', async () => {
      await using net = await network()
      const before = await readFile(net.file)
      const images = noise(16 * 64, 3)
      const first = await net.logits(images.slice())
      const { outputs } = await net.session.run(new Map([['x', floats([16, 1, 8, 8], images)]]))
      for (let i = 0; i < 20; i++) await net.logits(noise(16 * 64, i))
      expect([...outputs.keys()]).toEqual(['logits'])
      expect(await net.logits(images.slice())).toEqual(first)
      expect(await readFile(net.file)).toEqual(before)
    })

    test('keeps no memory over 1,000 batches', async () => {
      await using net = await network()
      // A software adapter computes some thousand of these samples a second.
      const size = device === 'webgpu' ? 32 : 256
      let inputs: ReadonlyMap<string, Tensor> = new Map([['x', floats([size, 1, 8, 8], noise(size * 64, 1))]])
      const run = async (batches: number) => {
        for (let i = 0; i < batches; i++) {
          const result = await net.session.run(inputs)
          inputs = result.inputs
        }
      }
      await run(300)
      const before = process.memoryUsage.rss()
      await run(1000)
      const grown = process.memoryUsage.rss() - before
      // One kept activation (128 KiB) a batch would be 128 MiB; with 256 samples, one kept input (64 KiB) 64 MiB.
      expect(grown).toBeLessThan(32 * 2 ** 20)
    }, 300_000)

    test('executes runs in the order in which they are asked for, those of several lanes at once', async () => {
      await using net = await network()
      const { lanes } = net.session
      const order: number[] = []
      const sizes = [8192, 1, 64, 1, 256, 1]
      await Promise.all(
        sizes.map(async (size, i) => {
          await net.logits(noise(size * 64, i))
          order.push(i)
        }),
      )
      if (lanes === 1) expect(order).toEqual([0, 1, 2, 3, 4, 5])
      // The first and longest one holds up its own lane alone.
      else expect(order.indexOf(0)).toBeGreaterThan(0)
      expect(order.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5])
    })

    test('takes whole-number inputs, several inputs and several outputs', async () => {
      const both = graph({
        inputs: [value('ids', [2], 'int64'), value('scale', [1])],
        outputs: [value('embedded', [2, 3]), value('scaled', [2, 3])],
        nodes: [
          node('Gather', ['table', 'ids'], 'embedded'),
          node('Unsqueeze', ['scale', 'axes'], 's'),
          node('Mul', ['embedded', 's'], 'scaled'),
        ],
        parameters: [parameter('table', [4, 3])],
        constants: [int64s('axes', 2n)],
      })
      const table = Float32Array.from({ length: 12 }, (_, i) => i)
      const ids: Tensor = { dtype: 'int64', shape: [2, 2], data: BigInt64Array.of(3n, 0n, 1n, 1n) }
      const outputs = await evaluate(both, { table }, { ids, scale: floats([2, 1], [10, -1]) })
      expect(outputs.get('embedded')).toEqual(floats([2, 2, 3], [9, 10, 11, 0, 1, 2, 3, 4, 5, 3, 4, 5]))
      expect(outputs.get('scaled')).toEqual(floats([2, 2, 3], [90, 100, 110, 0, 10, 20, -3, -4, -5, -3, -4, -5]))
    })

    test('reads weights from several folders, from shared ranges, and through links', async () => {
      const twice = graph({
        nodes: [node('Mul', ['x', 'a'], 'z'), node('Add', ['z', 'b'], 'y')],
        parameters: [parameter('a', [2]), parameter('b', [2])],
      })
      await using folder = await temporaryFolder()
      await using other = await temporaryFolder()
      const deep = join(folder.path, 'deep', 'er')
      await mkdir(deep, { recursive: true })
      const bytes = new Uint8Array(Float32Array.of(9, 2, 3, 9).buffer)
      await writeFile(join(deep, 'w'), bytes)
      await writeFile(join(other.path, 'w'), bytes)
      await symlink(other.path, join(folder.path, 'link'))
      const at = (path: string) => ({ dtype: 'float32', shape: [2], path, offset: 4, length: 8 }) as const
      for (const paths of [
        [join(deep, 'w'), join(other.path, 'w')],
        [join(folder.path, 'link', 'w'), join(deep, 'w')],
        [join(deep, 'w'), join(deep, 'w')],
      ] as const) {
        await using session = await load(
          twice,
          new Map([
            ['a', at(paths[0])],
            ['b', at(paths[1])],
          ]),
        )
        const { outputs } = await session.run(new Map([['x', floats([1, 2], [10, 100])]]))
        expect(outputs.get('y')!.data).toEqual(Float32Array.of(22, 303))
      }
    })

    test('has several sessions, of which one can be released', async () => {
      await using kept = await network()
      const released = await network()
      const images = noise(64, 2)
      const expected = await kept.logits(images.slice())
      expect(await released.logits(images.slice())).toEqual(expected)
      await released[Symbol.asyncDispose]()
      await released[Symbol.asyncDispose]()
      await expect(released.logits(images.slice())).rejects.toMatchObject({ code: 'ENGINE_FAILED' })
      expect(await kept.logits(images.slice())).toEqual(expected)
    })

    test('fails with ENGINE_FAILED for inputs that do not fit, and goes on', async () => {
      await using net = await network()
      const run = (inputs: Record<string, Tensor>) => net.session.run(new Map(Object.entries(inputs)))
      const wrong: Record<string, Tensor>[] = [
        {},
        { x: floats([1, 1, 9, 9], noise(81, 1)) },
        { x: floats([1, 3, 8, 8], noise(192, 1)) },
        { x: { dtype: 'int64', shape: [1, 1, 8, 8], data: new BigInt64Array(64) } },
      ]
      for (const inputs of wrong) await expect(run(inputs)).rejects.toMatchObject({ code: 'ENGINE_FAILED' })
      expect(await net.logits(noise(64, 1))).toHaveLength(10)
    })

    // 256 MiB for each sample: the five are more than a buffer of a software adapter may have. Cards with larger buffers answer at once.
    ;(device === 'webgpu' ? test : test.skip)('answers rightly where the device cannot hold a batch', async () => {
      const width = 2 ** 26
      const heads = graph({
        inputs: [value('x', [width])],
        outputs: [value('y', [1])],
        nodes: [node('Slice', ['x', 'from', 'to', 'axis'], 'head'), linear('head', 'fc', 'y')],
        parameters: [parameter('fc.weight', [1, 2]), parameter('fc.bias', [1])],
        constants: [int64s('from', 0n), int64s('to', 2n), int64s('axis', 1n)],
      })
      await using folder = await temporaryFolder()
      const weights = { 'fc.weight': Float32Array.of(10, 1), 'fc.bias': Float32Array.of(0.5) }
      await using session = await load(heads, await parameterFile(join(folder.path, 'weights'), heads, weights))
      for (const samples of [5, 5, 1]) {
        const data = new Float32Array(samples * width)
        for (let i = 0; i < samples; i++) data.set([i + 1, i], i * width)
        const { outputs } = await session.run(new Map([['x', { dtype: 'float32', shape: [samples, width], data }]]))
        expect([...(outputs.get('y')!.data as Float32Array)]).toEqual(
          Array.from({ length: samples }, (_, i) => 10 * (i + 1) + i + 0.5),
        )
      }
    })

    test('names the node that fails while it runs', async () => {
      // Which shape is asked for depends on the input's values, so that nothing can be known before.
      const reshape = graph({
        inputs: [value('x', [6]), { name: 'shape', dtype: 'int64', shape: [2] }],
        outputs: [value('y', [3])],
        nodes: [node('Reshape', ['x', 'shape'], 'y')],
      })
      const shape: Tensor = { dtype: 'int64', shape: [2], data: BigInt64Array.of(4n, 4n) }
      const failure = evaluate(reshape, {}, { x: floats([1, 6], noise(6, 1)), shape })
      await expect(failure).rejects.toMatchObject({
        code: 'ENGINE_FAILED',
        message: expect.stringMatching(/node "\/y" \(Reshape\)/) as unknown,
      })
    })

    test('fails with ENGINE_FAILED for weights that are missing, short or of another shape', async () => {
      await using folder = await temporaryFolder()
      const file = join(folder.path, 'weights')
      const parameters = await parameterFile(file, NETWORK, NETWORK_VALUES)
      const changed = (change: (copy: Map<string, unknown>) => void) => {
        const copy = new Map<string, unknown>(parameters)
        change(copy)
        return load(NETWORK, copy as unknown as ParameterSource)
      }
      const bias = parameters.get('conv.bias')!
      const sources = [
        () => changed((copy) => copy.delete('conv.bias')),
        () => changed((copy) => copy.set('conv.bias', { ...bias, path: join(folder.path, 'nothing') })),
        () => changed((copy) => copy.set('conv.bias', { ...bias, shape: [4, 4] })),
        () => changed((copy) => copy.set('conv.bias', { ...bias, dtype: 'int32' })),
      ]
      for (const source of sources)
        await expect(source()).rejects.toMatchObject({
          code: 'ENGINE_FAILED',
          message: expect.stringContaining('conv.bias') as unknown,
        })
      await truncate(file, 5000)
      await expect(load(NETWORK, parameters)).rejects.toMatchObject({ code: 'ENGINE_FAILED' })
    })
  })
}

/**
 * Within 1e-5 of the larger magnitude: sums may be taken in another order. Within 2e-5 on WebGPU and on native TensorFlow, which have another
 * order for each size of batch.
 */
function expectClose(found: number, expected: number, loose: boolean): void {
  expect(Math.abs(found - expected)).toBeLessThanOrEqual((loose ? 2e-5 : 1e-5) * Math.max(1, Math.abs(expected)))
}
