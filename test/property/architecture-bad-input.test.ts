import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  checkGraph,
  decodeGraph,
  encodeGraph,
  graphFromLayers,
  graphFromOnnx,
  LAYER_TYPES,
  type Graph,
} from '../../src/architecture/index.ts'
import { AppError } from '../../src/error.ts'
import { randomLayerList } from '../architecture/random-layers.ts'

const fixture = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../fixtures/${name}`, import.meta.url)))

/** The graph, or null for an error that a user can understand. Anything else is thrown. */
function attempt(make: () => Graph): Graph | null {
  try {
    return make()
  } catch (error) {
    if (error instanceof AppError) return null
    throw error
  }
}

describe('an ONNX file with changed bytes', () => {
  const files = [fixture('cancer_mlp.onnx'), encodeGraph(graphFromOnnx(fixture('digits_cnn.onnx')))]

  test('is read as a graph that can be evaluated, or refused with a code', () => {
    let accepted = 0
    fc.assert(
      fc.property(
        fc.constantFrom(...files),
        fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 6 }),
        fc.option(fc.nat(), { freq: 4 }),
        (file, changes, cut) => {
          const bytes = file.slice(0, cut === null ? file.length : cut % file.length)
          for (const [at, byte] of changes) if (bytes.length > 0) bytes[at % bytes.length] = byte
          const graph = attempt(() => graphFromOnnx(bytes))
          if (!graph) return
          accepted++
          checkGraph(graph)
          expect(decodeGraph(encodeGraph(graph))).toEqual(graph)
        },
      ),
      { numRuns: 3000 },
    )
    // Most bytes of cancer_mlp.onnx are weights, which do not matter.
    expect(accepted).toBeGreaterThan(30)
  })

  test('is a stored architecture or none', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 6 }), (changes) => {
        const bytes = files[1]!.slice()
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte
        attempt(() => decodeGraph(bytes))
      }),
      { numRuns: 1000 },
    )
  })

  test('or any bytes at all, are refused with a code', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(attempt(() => graphFromOnnx(bytes))).toBeNull()
      }),
      { numRuns: 2000 },
    )
  })
})

describe('layer lists', () => {
  test('that fit give graphs that pass every check and are stored and read back', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const graph = graphFromLayers(randomLayerList(seed))
        checkGraph(graph)
        expect(decodeGraph(encodeGraph(graph))).toEqual(graph)
        expect(graphFromLayers(randomLayerList(seed))).toEqual(graph)
      }),
      { numRuns: 200 },
    )
  })

  test('of any JSON are compiled or refused with a code', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (json) => {
        attempt(() => graphFromLayers(json))
      }),
      { numRuns: 2000 },
    )
  })

  test('with any arguments are compiled or refused with a code', () => {
    const names = [
      'in_features',
      'out_features',
      'bias',
      'in_channels',
      'out_channels',
      'kernel_size',
      'stride',
      'padding',
      'dilation',
      'groups',
      'num_features',
      'eps',
      'affine',
      'normalized_shape',
      'num_groups',
      'num_channels',
      'dim',
      'start_dim',
      'end_dim',
      'unflattened_size',
      'output_size',
      'ceil_mode',
      'count_include_pad',
      'divisor_override',
      'num_embeddings',
      'embedding_dim',
      'p',
      'name',
      'layers',
    ]
    const size = fc.oneof(fc.integer({ min: -2, max: 8 }), fc.constantFrom(2 ** 31 - 1, 2 ** 53, 1e300, 0.5))
    const argument = fc.oneof(
      size,
      fc.array(size, { maxLength: 3 }),
      fc.boolean(),
      fc.constantFrom(null, 'same', 'valid', 'x'),
    )
    const layer = fc.tuple(
      fc.constantFrom(...LAYER_TYPES),
      fc.dictionary(fc.constantFrom(...names), argument, { maxKeys: 6 }),
    )
    const list = fc.record({
      layers: fc.array(
        layer.map(([type, more]) => ({ ...more, type })),
        { minLength: 1, maxLength: 4 },
      ),
      input: fc.array(
        fc.oneof(
          { weight: 9, arbitrary: fc.integer({ min: 1, max: 9 }) },
          { weight: 1, arbitrary: fc.constant(2 ** 31 - 1) },
        ),
        { maxLength: 3 },
      ),
    })
    fc.assert(
      fc.property(list, (json) => {
        const graph = attempt(() => graphFromLayers(json))
        if (graph) checkGraph(graph)
      }),
      { numRuns: 3000 },
    )
  })
})
