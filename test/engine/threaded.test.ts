import { afterEach, describe, expect, test } from '@jest/globals'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Session, ThreadedEngine } from '../../src/engine/index.ts'
import { threadedEngine } from '../../src/engine/index.ts'
import type { Tensor } from '../../src/tensor/index.ts'
import { compiled } from '../compiled.ts'
import { floats, graph, linear, noise, parameter, value } from './graphs.ts'
import { parameterFile, temporaryFolder } from './parameter-file.ts'

const ONNXRUNTIME = compiled('engine/onnxruntime/index.js')
const PROGRAM = compiled('engine/engine-thread.js')

/** What a test uses; taken down after it, last first. */
const used: AsyncDisposable[] = []
function use<T extends AsyncDisposable>(resource: T): T {
  used.push(resource)
  return resource
}
afterEach(async () => {
  for (const resource of used.splice(0).reverse()) await resource[Symbol.asyncDispose]()
})

/** Runs an engine that is written in the test. */
async function engineOf(source: string, graceMs = 200): Promise<ThreadedEngine> {
  const folder = use(await temporaryFolder())
  const file = join(folder.path, 'engine.mjs')
  await writeFile(file, source)
  return use(await threadedEngine(pathToFileURL(file), { program: PROGRAM, graceMs }))
}

/** An engine whose sessions do what `run` says: JavaScript of the body of an async function of `inputs`. */
const scripted = (run: string, graceMs?: number): Promise<ThreadedEngine> =>
  engineOf(
    `export const createEngine = () => ({
      name: 'scripted', version: '1', devices: async () => [],
      load: async () => ({ run: async (inputs) => { ${run} }, [Symbol.asyncDispose]: async () => {} }),
    })`,
    graceMs,
  )
const open = async (engine: ThreadedEngine): Promise<Session> =>
  use(await engine.load(graph({}), new Map(), 'cpu', { threads: 1 }))
const x = (data: Float32Array): ReadonlyMap<string, Tensor> =>
  new Map([['x', { dtype: 'float32', shape: [data.length], data }]])

/** Waits for the thread. */
async function ended(engine: ThreadedEngine): Promise<void> {
  while (engine.alive()) await new Promise((resolve) => setTimeout(resolve, 20))
}

describe('an engine in its thread', () => {
  test('gets the memory of the inputs, and hands it back', async () => {
    const session = await open(await scripted('return { outputs: new Map(inputs), inputs }'))
    const data = Float32Array.of(1, 2, 3)
    const running = session.run(x(data))
    expect(data.byteLength).toBe(0)
    const { inputs, outputs } = await running
    expect(inputs.get('x')!.data).toEqual(Float32Array.of(1, 2, 3))
    expect(outputs.get('x')!.data).toEqual(Float32Array.of(1, 2, 3))
  })

  test('gets a copy of an array whose buffer holds more, which stays as it is', async () => {
    const session = await open(await scripted('inputs.get("x").data.fill(7); return { outputs: inputs, inputs }'))
    const whole = Float32Array.of(1, 2, 3, 4)
    const { inputs } = await session.run(x(whole.subarray(1, 3)))
    expect(whole).toEqual(Float32Array.of(1, 2, 3, 4))
    expect(inputs.get('x')!.data).toEqual(Float32Array.of(7, 7))
    expect(inputs.get('x')!.data.buffer.byteLength).toBe(8)
  })

  test('does not block this one', async () => {
    const session = await open(
      await scripted('const end = Date.now() + 500; while (Date.now() < end); return { outputs: inputs, inputs }'),
    )
    const running = session.run(x(Float32Array.of(1)))
    const begin = performance.now()
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(performance.now() - begin).toBeLessThan(400)
    await running
  })

  test('keeps the code of an AppError, and makes anything else no AppError', async () => {
    const error = compiled('error.js').href
    const coded = await open(
      await scripted(
        `const { AppError } = await import('${error}'); throw new AppError('LIMIT_EXCEEDED', 'too much of it')`,
      ),
    )
    await expect(coded.run(new Map())).rejects.toMatchObject({
      name: 'AppError',
      code: 'LIMIT_EXCEEDED',
      message: 'too much of it',
    })
    const bug = await open(await scripted('undefined.length'))
    const failure = (await bug.run(new Map()).catch((reason: unknown) => reason)) as Error
    expect(failure.name).toBe('Error')
    expect((failure.cause as Error).stack).toContain('engine.mjs')
  })

  test('that cannot be loaded fails with ENGINE_FAILED and the reason', async () => {
    await expect(engineOf('import "a-native-library-that-is-not-there"')).rejects.toMatchObject({
      code: 'ENGINE_FAILED',
      message: expect.stringContaining('a-native-library-that-is-not-there') as unknown,
    })
    await expect(engineOf('export const nothing = 1')).rejects.toMatchObject({ code: 'ENGINE_FAILED' })
  })

  test('that dies fails what it was asked, and everything after', async () => {
    const engine = await scripted('process.exit(3)')
    const session = await open(engine)
    await expect(session.run(new Map())).rejects.toMatchObject({
      code: 'ENGINE_FAILED',
      message: "the engine's thread ended with code 3",
    })
    await expect(engine.devices()).rejects.toMatchObject({ code: 'ENGINE_FAILED' })
  })

  test('that throws where nobody waits fails what it was asked', async () => {
    const session = await open(
      await scripted('setImmediate(() => { throw new Error("stray") }); await new Promise(() => {})'),
    )
    await expect(session.run(new Map())).rejects.toMatchObject({
      code: 'ENGINE_FAILED',
      message: "the engine's thread failed: stray",
    })
  })

  test('that does not return is not waited for, and ends when it does', async () => {
    const folder = use(await temporaryFolder())
    const begun = join(folder.path, 'begun')
    const engine = await scripted(
      `(await import('node:fs')).writeFileSync(${JSON.stringify(begun)}, '')
      const end = Date.now() + 3000; while (Date.now() < end); return { outputs: inputs, inputs }`,
      100,
    )
    const session = await open(engine)
    const hanging = session.run(new Map())
    while (!existsSync(begun)) await new Promise((resolve) => setTimeout(resolve, 10))
    const begin = performance.now()
    const closed = engine[Symbol.asyncDispose]()
    await expect(hanging).rejects.toMatchObject({ code: 'ENGINE_FAILED', message: 'the engine is closed' })
    await closed
    expect(performance.now() - begin).toBeLessThan(2000)
    expect(engine.alive()).toBe(true)
    await ended(engine)
  })

  test('skips the runs that wait when it is closed', async () => {
    const engine = await scripted(
      'const end = Date.now() + 300; while (Date.now() < end); return { outputs: inputs, inputs }',
      10_000,
    )
    const session = await open(engine)
    const runs = Array.from({ length: 20 }, () => session.run(new Map()).catch((error: unknown) => error))
    await new Promise((resolve) => setTimeout(resolve, 50))
    const begin = performance.now()
    await engine[Symbol.asyncDispose]()
    expect(performance.now() - begin).toBeLessThan(3000)
    expect(engine.alive()).toBe(false)
    for (const failure of await Promise.all(runs)) expect(failure).toMatchObject({ message: 'the engine is closed' })
  })

  test('releases its sessions when it is closed', async () => {
    const folder = use(await temporaryFolder())
    const log = JSON.stringify(join(folder.path, 'log'))
    const engine = await engineOf(`
      import { appendFileSync } from 'node:fs'
      let sessions = 0
      export const createEngine = () => ({
        name: 'scripted', version: '1', devices: async () => [],
        load: async () => {
          const id = sessions++
          return { run: async (inputs) => ({ outputs: inputs, inputs }), [Symbol.asyncDispose]: async () => appendFileSync(${log}, id + ' ') }
        },
      })`)
    const [first] = [await open(engine), await open(engine), await open(engine)]
    await first[Symbol.asyncDispose]()
    await engine[Symbol.asyncDispose]()
    await engine[Symbol.asyncDispose]()
    expect(await readFile(join(folder.path, 'log'), 'utf8')).toBe('0 1 2 ')
  })
})

describe('ONNX Runtime in its thread', () => {
  test('starts and ends many times in one process', async () => {
    const layer = graph({
      nodes: [linear('x', 'fc', 'y')],
      outputs: [value('y', [2])],
      parameters: [parameter('fc.weight', [2, 2]), parameter('fc.bias', [2])],
    })
    const values = { 'fc.weight': Float32Array.of(1, 0, 0, 1), 'fc.bias': Float32Array.of(1, 1) }
    const folder = use(await temporaryFolder())
    for (let i = 0; i < 10; i++) {
      const engine = await threadedEngine(ONNXRUNTIME)
      const parameters = await parameterFile(join(folder.path, 'w'), layer, values)
      const session = await engine.load(layer, parameters, 'cpu', { threads: 2 })
      const { outputs } = await session.run(new Map([['x', floats([1, 2], [i, -i])]]))
      expect(outputs.get('y')!.data).toEqual(Float32Array.of(i + 1, 1 - i))
      // Every other time with the session still open.
      if (i % 2 === 0) await session[Symbol.asyncDispose]()
      await engine[Symbol.asyncDispose]()
    }
  })

  test('can be closed while it runs', async () => {
    const wide = graph({
      inputs: [value('x', [2048])],
      nodes: [linear('x', 'fc', 'y')],
      outputs: [value('y', [2048])],
      parameters: [parameter('fc.weight', [2048, 2048]), parameter('fc.bias', [2048])],
    })
    const folder = use(await temporaryFolder())
    const values = { 'fc.weight': noise(2048 * 2048, 1), 'fc.bias': noise(2048, 2) }
    const parameters = await parameterFile(join(folder.path, 'w'), wide, values)
    const engine = await threadedEngine(ONNXRUNTIME)
    const session = await engine.load(wide, parameters, 'cpu', { threads: 2 })
    const running = session.run(new Map([['x', floats([4096, 2048], noise(4096 * 2048, 3))]]))
    const closed = engine[Symbol.asyncDispose]()
    await expect(running).rejects.toMatchObject({ code: 'ENGINE_FAILED', message: 'the engine is closed' })
    await closed
    await session[Symbol.asyncDispose]()
    await ended(engine)
  })
})
