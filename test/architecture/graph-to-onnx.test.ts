import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import {
  graphFromLayers,
  graphFromOnnx,
  graphToOnnx,
  type Graph,
  type WeightSource,
} from '../../src/architecture/index.ts'
import { itemSize, numel } from '../../src/tensor/index.ts'
import { fixtureBytes, stateDictOf } from './fixture.ts'

const layers = graphFromLayers(JSON.parse(new TextDecoder().decode(fixtureBytes('digits_cnn.layers.json'))))
const onnx = graphFromOnnx(fixtureBytes('digits_cnn.onnx'))

/** The bytes of each tensor of digits_cnn.safetensors, and where they are in it. */
function weightSources(kind: 'file' | 'bytes'): Map<string, WeightSource> {
  const bytes = fixtureBytes('digits_cnn.safetensors')
  const header = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true))
  const tensors = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + header))) as Record<
    string,
    { data_offsets: [number, number] }
  >
  const sources = stateDictOf('digits_cnn.safetensors').map(([key]): [string, WeightSource] => {
    const [start, end] = tensors[key]!.data_offsets.map((offset) => offset + 8 + header) as [number, number]
    return [
      key,
      kind === 'file'
        ? { kind, file: 'weights', offset: start, length: end - start }
        : { kind, bytes: bytes.subarray(start, end) },
    ]
  })
  return new Map(sources)
}

/** Logits that PyTorch computed for the first images of the test set. */
function expectedLogits(): Float32Array {
  const bytes = fixtureBytes('digits_cnn.logits.npy')
  const start = 10 + new DataView(bytes.buffer, bytes.byteOffset).getUint16(8, true)
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset + start))
}

/** Images of the test set, stored dense in digits_test.safetensors. */
function images(): Float32Array {
  const bytes = fixtureBytes('digits_test.safetensors')
  const header = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true))
  const { x } = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + header))) as {
    x: { data_offsets: [number, number] }
  }
  const [start, end] = x.data_offsets.map((offset) => bytes.byteOffset + offset + 8 + header) as [number, number]
  return new Float32Array(bytes.buffer.slice(start, end))
}

describe('graphToOnnx', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nograd-weights-'))
  beforeAll(() => writeFileSync(join(folder, 'weights'), fixtureBytes('digits_cnn.safetensors')))
  afterAll(() => rmSync(folder, { recursive: true }))

  test.each([
    ['layers', layers, 'bytes', 450],
    ['layers', layers, 'file', 7],
    ['ONNX', onnx, 'bytes', 1],
    ['ONNX', onnx, 'file', 450],
  ] as const)('digits_cnn from %s gives the logits of PyTorch, weights as %s', async (_, graph, kind, batch) => {
    const model = graphToOnnx(graph, weightSources(kind))
    const session = await InferenceSession.create(model, {
      extra: { session: { model_external_initializers_file_folder_path: folder } },
    })
    const input = new Tensor('float32', images().subarray(0, batch * 64), [batch, 1, 8, 8])
    const [output] = Object.values(await session.run({ [graph.inputs[0]!.name]: input }))
    await session.release()
    expect(output!.dims).toEqual([batch, 10])
    const expected = expectedLogits()
    const differences = Array.from(output!.data as Float32Array, (logit, i) => Math.abs(logit - expected[i]!))
    expect(Math.max(...differences)).toBeLessThan(1e-5)
  })

  test('weights in a file are named, not copied', () => {
    expect(graphToOnnx(layers, weightSources('file')).byteLength).toBeLessThan(6000)
    expect(graphToOnnx(layers, weightSources('bytes')).byteLength).toBeGreaterThan(150_000)
  })

  test('a missing weight, or one of another length, is an error of ours', () => {
    const weights = weightSources('bytes')
    weights.set('0.weight', { kind: 'bytes', bytes: new Uint8Array(8) })
    expect(() => graphToOnnx(layers, weights)).toThrow('parameter 0.weight: 8 bytes for 576')
    weights.delete('0.weight')
    expect(() => graphToOnnx(layers, weights)).toThrow('no weights for parameter 0.weight')
  })

  test('parameters that nothing reads are left out', () => {
    const unread = { name: 'unread', keys: ['unread'], dtype: 'float32', shape: [2], optional: false } as const
    const graph: Graph = { ...layers, parameters: [...layers.parameters, unread] }
    expect(graphToOnnx(graph, weightSources('bytes'))).toEqual(graphToOnnx(layers, weightSources('bytes')))
    const bytes = layers.parameters.map(({ dtype, shape }) => numel(shape) * itemSize(dtype)).reduce((a, b) => a + b)
    expect(graphToOnnx(graph, weightSources('bytes')).byteLength).toBeLessThan(bytes + 6000)
  })
})
