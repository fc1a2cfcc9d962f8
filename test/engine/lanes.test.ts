import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { join } from 'node:path'
import { laneCount, lanedEngine, threadedEngine, type ThreadedEngine } from '../../src/engine/index.ts'
import { compiled } from '../compiled.ts'
import { floats, graph, linear, noise, parameter, value } from './graphs.ts'
import { parameterFile, temporaryFolder } from './parameter-file.ts'

const wide = (width: number) =>
  graph({
    inputs: [value('x', [width])],
    outputs: [value('y', [width])],
    nodes: [linear('x', 'layer', 'y')],
    parameters: [parameter('layer.weight', [width, width]), parameter('layer.bias', [width])],
  })

test('there are as many lanes as threads, a few at most, and one for a large model', () => {
  expect(laneCount(wide(10), { threads: 1 })).toBe(1)
  expect(laneCount(wide(10), { threads: 2 })).toBe(2)
  expect(laneCount(wide(10), { threads: 64 })).toBe(4)
  // 256 MiB of weights in two lanes are 512 MiB.
  expect(laneCount(wide(8000), { threads: 64 })).toBe(2)
  expect(laneCount(wide(20_000), { threads: 64 })).toBe(1)
})

describe('an engine in lanes', () => {
  let engine: ThreadedEngine
  let started = 0
  beforeAll(async () => {
    engine = await lanedEngine(() => {
      started++
      return threadedEngine(compiled('engine/onnxruntime/index.js'))
    })
  })
  afterAll(() => engine[Symbol.asyncDispose]())

  const network = wide(16)
  const values = { 'layer.weight': noise(256, 1), 'layer.bias': noise(16, 2) }

  test('answers each batch with its own values, whichever lane it went to, and starts lanes when they are needed', async () => {
    expect(started).toBe(1)
    await using folder = await temporaryFolder()
    const parameters = await parameterFile(join(folder.path, 'weights'), network, values)
    await using session = await engine.load(network, parameters, 'cpu', { threads: 3 })
    expect([session.lanes, started]).toEqual([3, 3])
    const batches = Array.from({ length: 40 }, (_, i) => noise(16 * (1 + (i % 4)), i))
    const answers = await Promise.all(
      batches.map((batch) => session.run(new Map([['x', floats([batch.length / 16, 16], batch.slice())]]))),
    )
    for (const [i, { outputs }] of answers.entries()) {
      const expected = batches[i]!.length / 16
      const { data, shape } = outputs.get('y')!
      expect(shape).toEqual([expected, 16])
      for (let row = 0; row < expected; row++)
        for (let out = 0; out < 16; out++) {
          let sum = values['layer.bias'][out]!
          for (let k = 0; k < 16; k++) sum += values['layer.weight'][out * 16 + k]! * batches[i]![row * 16 + k]!
          expect(Number(data[row * 16 + out])).toBeCloseTo(sum, 4)
        }
    }
  })

  test('keeps no session when one of the lanes cannot load it', async () => {
    await expect(engine.load(network, new Map(), 'cpu', { threads: 2 })).rejects.toMatchObject({
      code: 'ENGINE_FAILED',
    })
    expect(engine.alive()).toBe(true)
  })
})
