import { describe, expect, test } from '@jest/globals'
import { histogramBar } from '../../src/cli/inspect/histogram-bar.ts'
import { treeOutline } from '../../src/cli/inspect/tree-outline.ts'
import { keyFilter } from '../../src/cli/inspect/wanted.ts'
import { printable, shortened, styleOf } from '../../src/cli/style.ts'
import type { ProgressStream } from '../../src/cli/progress-display.ts'

describe('--key', () => {
  test.each([
    ['conv', 'layer1.conv1.weight', true],
    ['conv', 'fc.weight', false],
    ['*.weight', 'fc.weight', true],
    ['*.weight', 'fc.weight_g', false],
    ['layer?.*.bias', 'layer4.0.bias', true],
    ['layer?.*.bias', 'layer10.0.bias', false],
    ['a*b*c', 'axxbyyc', true],
    ['a*b*c', 'axxcyyb', false],
    ['a*ab', 'ab', false],
    ['?', 'a', true],
    ['?', 'ab', false],
    ['*', '', true],
  ])('%s on %s', (pattern, key, expected) => {
    expect(keyFilter(pattern)(key)).toBe(expected)
  })

  test('takes no long time, whatever the pattern', () => {
    const begin = performance.now()
    expect(keyFilter(`${'*a'.repeat(50)}*b`)('a'.repeat(5000))).toBe(false)
    expect(performance.now() - begin).toBeLessThan(1000)
  })
})

test('a histogram is a row of bars, the largest one full', () => {
  expect(histogramBar([0, 1, 8, 4], 4)).toBe(' ▂█▅')
  expect(histogramBar([1, 1, 0, 0, 2, 0, 0, 0], 4)).toBe('█ █ ')
})

test('nothing of a file controls the terminal', () => {
  expect(printable('a\u001b[31mb\n\u202e')).toBe('a\\u001b[31mb\\u000a\\u202e')
  expect(shortened('layer1.0.conv1.weight', 11)).toBe('layer…eight')
})

test('colours are for terminals that want them', () => {
  const stream = (isTTY: boolean) => ({ isTTY }) as unknown as ProgressStream
  expect(styleOf(stream(true), {}).red('x')).toBe('\u001b[31mx\u001b[39m')
  expect(styleOf(stream(false), {}).red('x')).toBe('x')
  expect(styleOf(stream(true), { NO_COLOR: '1' }).red('x')).toBe('x')
  expect(styleOf(stream(true), { TERM: 'dumb' }).red('x')).toBe('x')
})

test('an outline ends at its limits', async () => {
  const tree = {
    root: 0,
    nodes: [
      { kind: 'list', items: [1, 1, 1, 2] },
      { kind: 'list', items: [2] },
      { kind: 'int', value: 5 },
    ],
  } as const
  const lines = (limits: { depth: number; entries: number; lines: number }) =>
    treeOutline(tree, () => undefined, limits)
  expect(await lines({ depth: 1, entries: 2, lines: 100 })).toEqual([
    'list of 4',
    '  0: list of 1',
    '  1: list of 1',
    '  … and 2 more',
  ])
  expect(await lines({ depth: 2, entries: 9, lines: 100 })).toHaveLength(8)
  expect(await lines({ depth: 2, entries: 9, lines: 3 })).toEqual([
    'list of 4',
    '  0: list of 1',
    '    0: 5',
    '… (3 lines are shown)',
  ])
})
