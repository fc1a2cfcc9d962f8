import { expect, test } from '@jest/globals'
import type { Dimension } from '../../src/architecture/index.ts'
import { defaultBatchSize } from '../../src/evaluation/index.ts'
import { graph, node, parameter, value } from '../engine/graphs.ts'

const relu = (shape: readonly Dimension[]) =>
  defaultBatchSize(
    graph({ inputs: [value('x', shape)], outputs: [value('y', shape)], nodes: [node('Relu', ['x'], 'y')] }),
  )

test.each<[Dimension[], number]>([
  [[30], 512],
  [[784], 512],
  // 64 MiB hold 20 of 3.2 MB, the first activation of ResNet-18 at 224×224.
  [[64, 112, 112], 16],
  [[3, 'height', 'width'], 64],
  [[2 ** 27], 1],
  [[0], 512],
])('samples of %j go %p at a time', (shape, expected) => expect(relu(shape)).toBe(expected))

test('weights do not count', () => {
  const wide = graph({
    inputs: [value('ids', [8], 'int64')],
    outputs: [value('y', [8, 64])],
    nodes: [node('Gather', ['table', 'ids'], 'y')],
    parameters: [parameter('table', [1_000_000, 64])],
  })
  expect(defaultBatchSize(wide)).toBe(512)
})
