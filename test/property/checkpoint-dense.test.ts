import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { denseBytes, type ReadRange } from '../../src/checkpoint/index.ts'
import { gatherBox } from '../../src/checkpoint/gather-box.ts'
import { boxOf, splitBox } from '../../src/checkpoint/strided-box.ts'
import { collect } from '../checkpoint/build-checkpoint.ts'

/** A view of int16, and a storage that is just long enough. */
const anyView = fc
  .array(fc.record({ size: fc.integer({ min: 0, max: 5 }), stride: fc.integer({ min: 0, max: 40 }) }), { maxLength: 4 })
  .chain((axes) =>
    fc.record({
      shape: fc.constant(axes.map(({ size }) => size)),
      // Half of them as a dense tensor would have them, in any order of the axes.
      stride: fc.oneof(fc.constant(axes.map(({ stride }) => stride)), permutedStrides(axes.map(({ size }) => size))),
      storageOffset: fc.integer({ min: 0, max: 9 }),
      dtype: fc.constant('int16' as const),
    }),
  )

function permutedStrides(shape: readonly number[]): fc.Arbitrary<number[]> {
  return fc.shuffledSubarray([...shape.keys()], { minLength: shape.length }).map((order) => {
    const strides = shape.map(() => 0)
    let next = 1
    for (const axis of order) {
      strides[axis] = next
      next *= Math.max(1, shape[axis]!)
    }
    return strides
  })
}

type View = typeof anyView extends fc.Arbitrary<infer T> ? T : never

/** The definition: every index in row-major order. */
function elementsOf({ shape, stride, storageOffset }: View): number[] {
  let positions = [storageOffset]
  shape.forEach((size, axis) => {
    positions = positions.flatMap((at) => Array.from({ length: size }, (_, i) => at + i * stride[axis]!))
  })
  return positions
}

function storageOf(view: View): { readonly bytes: Buffer; readonly read: ReadRange; readonly expected: Buffer } {
  const elements = elementsOf(view)
  const bytes = Buffer.from(Int16Array.from({ length: Math.max(0, ...elements) + 1 }, (_, i) => i * 7).buffer)
  const expected = Buffer.from(Int16Array.from(elements, (at) => at * 7).buffer)
  return {
    bytes,
    expected,
    async *read(offset, length) {
      expect(offset >= 0 && length >= 0 && offset + length <= bytes.length).toBe(true)
      for (let at = 0; at < length; at += 3)
        yield await Promise.resolve(bytes.subarray(offset + at, offset + Math.min(length, at + 3)))
    },
  }
}

test('the dense bytes of any view are its elements in row-major order, and no byte outside of it is read', async () => {
  await fc.assert(
    fc.asyncProperty(anyView, async (view) => {
      const { read, expected } = storageOf(view)
      expect((await collect(denseBytes(view, read))).equals(expected)).toBe(true)
    }),
    { numRuns: 500 },
  )
})

test('cutting a view into blocks and reading through a small window changes nothing', async () => {
  await fc.assert(
    fc.asyncProperty(
      anyView,
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 2, max: 64 }),
      async (view, block, window) => {
        const { read, expected } = storageOf(view)
        const parts: Uint8Array[] = []
        for (const part of splitBox(boxOf(view), block)) {
          const bytes = await gatherBox(part, 2, read, window)
          expect(bytes.length).toBeLessThanOrEqual(2 * block)
          parts.push(bytes)
        }
        expect(Buffer.concat(parts).equals(expected)).toBe(true)
      },
    ),
    { numRuns: 500 },
  )
})
