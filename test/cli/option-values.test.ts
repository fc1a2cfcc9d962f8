import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import {
  checkFile,
  classNames,
  mapLocation,
  platformUrl,
  positiveInteger,
  probability,
} from '../../src/cli/option-values.ts'

describe('values that are taken', () => {
  test.each([
    [positiveInteger, '64', 64],
    [probability, '0', 0],
    [probability, '0.25', 0.25],
    [probability, '1', 1],
    [classNames, 'no, yes', ['no', 'yes']],
    [classNames, '["a, b","c"]', ['a, b', 'c']],
    [mapLocation, 'cpu', { device: 'cpu' }],
    [
      mapLocation,
      'cuda:0=cpu, cuda:1=cpu',
      {
        tags: [
          { from: 'cuda:0', to: 'cpu' },
          { from: 'cuda:1', to: 'cpu' },
        ],
      },
    ],
    [platformUrl, 'http://localhost:4000', 'http://localhost:4000'],
    [platformUrl, 'https://nograd.example/graphql', 'https://nograd.example'],
  ] as [(text: string) => unknown, string, unknown][])('%p %s', (parse, text, value) => {
    expect(parse(text)).toEqual(value)
  })
})

describe('values that are refused', () => {
  test.each([
    [positiveInteger, '0'],
    [positiveInteger, '-1'],
    [positiveInteger, '1.5'],
    [positiveInteger, '1e3'],
    [positiveInteger, '99999999999999999999'],
    [probability, '1.01'],
    [probability, ''],
    [probability, 'half'],
    [classNames, '["a", 1]'],
    [classNames, '[a'],
    [mapLocation, 'cuda:0='],
    [mapLocation, 'cuda:0=cpu=cuda'],
    [platformUrl, 'localhost:4000'],
    [platformUrl, 'ftp://localhost'],
  ] as [(text: string) => unknown, string][])('%p %s', (parse, text) => {
    expect(() => parse(text)).toThrow(/expected/)
  })
})

test('a file that is not there or is none is wrong usage', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nograd-options-'))
  writeFileSync(join(folder, 'file'), '')
  await expect(checkFile('--dataset', join(folder, 'file'))).resolves.toBeUndefined()
  for (const path of [folder, join(folder, 'none'), join(folder, 'file', 'below')])
    await expect(checkFile('--dataset', path)).rejects.toMatchObject({ code: 'USAGE', exitCode: 2 })
  rmSync(folder, { recursive: true })
})
