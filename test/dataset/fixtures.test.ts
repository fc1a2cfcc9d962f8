import { describe, expect, test } from '@jest/globals'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { fileSource } from '../../src/container/index.ts'
import { openDataset, type DatasetOptions } from '../../src/dataset/index.ts'
import { columnBytes } from './make-files.ts'

interface Expected {
  readonly format: string
  readonly rows: number
  readonly columns: readonly {
    readonly name: string
    readonly role: string
    readonly dtype: string
    readonly shape: readonly number[]
    readonly sha256: string
    readonly min: number
    readonly max: number
    readonly integral: boolean
  }[]
  readonly labelNames: readonly string[] | null
}

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url))
const { files } = JSON.parse(readFileSync(fixture('expected_datasets.json'), 'utf8')) as {
  files: Record<string, Expected>
}

const OPTIONS: Readonly<Record<string, DatasetOptions>> = {
  'datasets/table.npy': { labelColumn: '-1' },
  'datasets/table_fortran.npy': { labelColumn: '6' },
}

describe('numpy and we read the same from', () => {
  test.each(Object.entries(files))('%s', async (name, expected) => {
    await using source = await fileSource(fixture(name))
    await using file = await openDataset(source, OPTIONS[name])
    expect(file).toMatchObject({ format: expected.format, rows: expected.rows })
    for (const [index, { sha256, min, max, integral, ...column }] of expected.columns.entries()) {
      const { names, ...found } = file.columns[index]!
      expect(found).toEqual(column)
      expect(names ?? null).toEqual(column.role === 'LABEL' ? expected.labelNames : null)
      const { bytes } = await columnBytes(file, index)
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256)
      expect(file.statistics(index)).toEqual({ min, max, integral })
    }
    expect(file.columns).toHaveLength(expected.columns.length)
  })
})

describe('real files are refused that hold', () => {
  test.each([
    ['objects', 'pickled: loading them can execute code, so they are never read'],
    ['records', 'records with named fields'],
    ['complex', 'complex numbers'],
  ])('%s', async (name, message) => {
    await using source = await fileSource(fixture(`datasets/${name}.npz`))
    await expect(openDataset(source)).rejects.toMatchObject({
      code: 'DATASET_UNSUPPORTED',
      message: expect.stringContaining(message),
    })
  })

  test('a PyTorch checkpoint instead of a dataset', async () => {
    await using source = await fileSource(fixture('digits_cnn.pth'))
    await expect(openDataset(source)).rejects.toMatchObject({
      code: 'DATASET_UNKNOWN_FORMAT',
      message: expect.stringContaining('is a PyTorch checkpoint'),
    })
    await using legacy = await fileSource(fixture('digits_cnn_legacy.pth'))
    await expect(openDataset(legacy)).rejects.toMatchObject({
      code: 'DATASET_UNKNOWN_FORMAT',
      message: expect.stringContaining('is a Python pickle, which is never opened'),
    })
  })
})
