import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readCheckpoint, tensorBytes, type Checkpoint, type ValueNode } from '../../src/checkpoint/index.ts'
import { fileSource } from '../../src/container/index.ts'
import {
  tensorDistance,
  tensorStatistics,
  type TensorDistance,
  type TensorStatistics,
} from '../../src/statistics/index.ts'
import { numel } from '../../src/tensor/index.ts'
import { findPython } from './python.ts'

const SEED = Number(process.env['NOGRAD_SEED'] ?? 5)

/** Statistics with the counts of the histogram, where numpy has one. */
type Expected = Omit<TensorStatistics, 'histogram'> & { readonly counts: readonly number[] | null }

/** What statistics_random.py prints. */
interface Written {
  readonly cases: readonly {
    readonly name: string
    readonly a: Expected
    readonly b: Expected
    readonly distance: Omit<TensorDistance, 'elements' | 'identical'>
  }[]
}

const python = findPython(['torch', 'numpy'])
const interop = python === null ? test.skip : test

/** Equal to 12 digits; `size` is what a small number is small against. */
function close(found: number | null, expected: number | null, what: string, size = 0): void {
  if (found === null || expected === null) {
    expect([what, found]).toEqual([what, expected])
    return
  }
  const error = Math.abs(found / 2 - expected / 2) * 2
  const allowed = 1e-12 * Math.max(Math.abs(expected), size)
  if (!(error <= allowed)) expect([what, found, `± ${allowed}`]).toEqual([what, expected, ''])
}

describe('statistics and distances of tensors that PyTorch wrote', () => {
  let folder: string
  let written: Written

  beforeAll(() => {
    if (python === null) return
    folder = mkdtempSync(join(tmpdir(), 'nograd-statistics-'))
    const script = new URL('statistics_random.py', import.meta.url).pathname
    const args = ['-B', '-W', 'ignore', script, folder, String(SEED)]
    written = JSON.parse(execFileSync(python, args, { encoding: 'utf8', maxBuffer: 2 ** 28 })) as Written
  }, 300_000)
  afterAll(() => {
    if (python !== null) rmSync(folder, { recursive: true, force: true })
  })

  /** The tensors of the pairs: a quantized one is an argument of the object that it is. */
  function pairsOf({ tree: { nodes, root } }: Checkpoint): ReadonlyMap<string, readonly number[]> {
    const tensorsIn = (node: ValueNode): readonly number[] => {
      if (node.kind === 'tensor') return [node.tensor]
      if ('items' in node) return node.items.flatMap((item) => tensorsIn(nodes[item]!))
      return 'args' in node ? tensorsIn(nodes[node.args]!).slice(0, 1) : []
    }
    const dict = nodes[root]!
    if (!('entries' in dict)) throw new Error('a dict is expected')
    return new Map(
      dict.entries.map(([key, value]) => [(nodes[key] as { value: string }).value, tensorsIn(nodes[value]!)]),
    )
  }

  interop(
    'are the exact ones to 12 digits, for every dtype, layout and magnitude',
    async () => {
      await using checkpoint = await readCheckpoint(await fileSource(join(folder, 'pairs.pth')))
      const pairs = pairsOf(checkpoint)
      expect(pairs.size).toBe(written.cases.length)
      expect(pairs.size).toBeGreaterThan(70)
      let histograms = 0
      for (const { name, a, b, distance } of written.cases) {
        const indexes = pairs.get(name)!
        expect([name, indexes]).toEqual([name, [expect.any(Number), expect.any(Number)]])
        const sides = indexes.map((index) => {
          const { dtype, shape } = checkpoint.tensors[index]!
          return { dtype, elements: () => tensorBytes(checkpoint, index), count: numel(shape) }
        })
        for (const [i, expected] of [a, b].entries()) {
          const { dtype, count, elements } = sides[i]!
          const found = await tensorStatistics(dtype, count, elements)
          const { counts, min, max, mean, std, norm, ...exact } = expected
          expect([name, found]).toMatchObject([name, exact])
          close(found.min, min, `${name} min`)
          close(found.max, max, `${name} max`)
          const size = Math.max(Math.abs(min ?? 0), Math.abs(max ?? 0))
          close(found.mean, mean, `${name} mean`, size)
          close(found.std, std, `${name} std`, name.includes('constant') ? size : 0)
          close(found.norm, norm, `${name} norm`)
          const total = found.histogram?.counts.reduce((sum, n) => sum + n, 0) ?? 0
          expect([name, total]).toEqual([
            name,
            exact.elements - exact.nan - exact.positiveInfinity - exact.negativeInfinity,
          ])
          if (counts === null) continue
          histograms++
          expect([name, found.histogram?.counts]).toEqual([name, counts])
        }
        const found = await tensorDistance(sides[0]!, sides[1]!)
        expect([name, found.notFinite]).toEqual([name, distance.notFinite])
        close(found.l2, distance.l2, `${name} l2`)
        close(found.relativeL2, distance.relativeL2, `${name} relative`)
        close(found.maxAbsDifference, distance.maxAbsDifference, `${name} max abs`)
        close(found.cosineSimilarity, distance.cosineSimilarity, `${name} cosine`, 1)
        // Small distances keep their digits: 1 − cos alone would have none below 1e-16.
        close(found.cosineDistance, distance.cosineDistance, `${name} cosine distance`, 1e-3)
      }
      expect(histograms).toBeGreaterThan(80)
    },
    300_000,
  )
})
