import { describe, expect, test } from '@jest/globals'
import { chooseOffers, NOTHING, type ComputeDType, type EngineLacks, type EngineName } from '../../src/engine/index.ts'
import { graph, node, value } from './graphs.ts'

const offer = (name: EngineName, id: string, lacks: EngineLacks = NOTHING, ...more: ComputeDType[]) => ({
  engine: { name, lacks },
  device: { id, computeDTypes: ['float32' as const, ...more] },
})
const without = (...operators: string[]): EngineLacks => ({ operators, dtypes: [] })
const RELU = graph({ nodes: [node('Relu', ['x'], 'y')] })
const DOUBLES = graph({
  inputs: [value('x', [2], 'float64')],
  outputs: [value('y', [2], 'float64')],
  nodes: [node('Relu', ['x'], 'y')],
})
const HERE = [
  offer('onnxruntime', 'cpu'),
  offer('onnxruntime', 'webgpu', NOTHING, 'float16'),
  offer('tensorflow', 'cpu'),
  offer('tensorflow', 'cuda:0'),
  offer('tensorflow', 'cuda:1'),
]
const wish = (device = 'auto', engine: EngineName | 'auto' = 'auto', computeDType: ComputeDType = 'float32') => ({
  ...{ device, engine, computeDType },
})
const chosen = (...[asked, on, there]: [ReturnType<typeof wish>, typeof RELU?, typeof HERE?]) =>
  chooseOffers(asked, on ?? RELU, there ?? HERE).offers.map(({ engine, device }) => `${engine.name} ${device.id}`)

describe('chooseOffers', () => {
  test('for auto: graphics cards before the processor, then the order of the engines', () => {
    expect(chosen(wish())).toEqual([
      ...['tensorflow cuda:0', 'tensorflow cuda:1', 'onnxruntime webgpu', 'onnxruntime cpu', 'tensorflow cpu'],
    ])
    expect(chosen(wish('auto', 'onnxruntime'))).toEqual(['onnxruntime webgpu', 'onnxruntime cpu'])
  })

  test('a device as PyTorch names it; cuda is the first', () => {
    expect(chosen(wish('cpu'))).toEqual(['onnxruntime cpu', 'tensorflow cpu'])
    expect(chosen(wish('cuda'))).toEqual(['tensorflow cuda:0'])
    expect(chosen(wish('cuda:1', 'tensorflow'))).toEqual(['tensorflow cuda:1'])
  })

  test('what lacks an operator or an element type is passed over, and the reason says so', () => {
    const there = [offer('tensorflow', 'cpu', without('Relu')), offer('onnxruntime', 'cpu')]
    const { offers, reason } = chooseOffers(wish(), RELU, there)
    expect(offers).toEqual([there[1]])
    expect(reason).toBe(
      'cpu is the only device; tensorflow is passed over, as it lacks Relu; onnxruntime is what drives it',
    )
    const narrow = [offer('tensorflow', 'cpu', { operators: [], dtypes: ['float64'] }), offer('onnxruntime', 'cpu')]
    expect(chosen(wish(), DOUBLES, narrow)).toEqual(['onnxruntime cpu'])
  })

  test('the reason says what was asked for and what came before what', () => {
    expect(chooseOffers(wish(), RELU, HERE).reason).toBe(
      'cuda:0 is the fastest kind of device, before cpu, webgpu, cuda:1; tensorflow is what drives it',
    )
    expect(chooseOffers(wish('cpu'), RELU, HERE).reason).toBe(
      'cpu was asked for; onnxruntime comes before tensorflow on this worker',
    )
    expect(chooseOffers(wish('cpu', 'tensorflow'), RELU, HERE).reason).toBe(
      'cpu was asked for; tensorflow was asked for',
    )
  })

  test.each([
    [
      wish('mps'),
      RELU,
      'DEVICE_UNAVAILABLE',
      /no device "mps": there are cpu \(onnxruntime\), webgpu \(onnxruntime, float16\)/,
    ],
    [
      wish('webgpu', 'tensorflow'),
      RELU,
      'DEVICE_UNAVAILABLE',
      /no device "webgpu" of the engine tensorflow: there are/,
    ],
    [wish('cpu', 'auto', 'float16'), RELU, 'DEVICE_UNAVAILABLE', /no device "cpu" that computes in float16/],
  ])('refuses %j, and says what there is', (asked, on, code, message) => {
    expect(() => chooseOffers(asked, on, HERE)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    )
  })

  test('names the operators that the engine that was asked for lacks', () => {
    const there = [offer('tensorflow', 'cpu', without('Relu', 'Mod')), offer('onnxruntime', 'cpu')]
    expect(() => chooseOffers(wish('auto', 'tensorflow'), RELU, there)).toThrow(
      expect.objectContaining({
        code: 'ARCHITECTURE_UNSUPPORTED_OPERATOR',
        message:
          'the engine tensorflow lacks Relu, which the graph of this architecture has; choose another engine, or auto',
      }),
    )
  })

  test('a wish for float16 takes what has it', () =>
    expect(chosen(wish('auto', 'auto', 'float16'))).toEqual(['onnxruntime webgpu']))
})
