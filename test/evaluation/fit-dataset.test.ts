import { describe, expect, test } from '@jest/globals'
import type { Dimension, Graph } from '../../src/architecture/index.ts'
import type { ColumnFacts, Question } from '../../src/evaluation/dataset-fit.ts'
import { fitDataset } from '../../src/evaluation/fit-dataset.ts'
import type { Task } from '../../src/metric/index.ts'
import type { DType, Shape } from '../../src/tensor/index.ts'

interface Value {
  readonly name?: string
  readonly dtype?: DType
  readonly shape: readonly Dimension[]
}
const graph = (inputs: readonly Value[], outputs: readonly Value[]): Graph => ({
  opset: 20,
  inputs: inputs.map(({ name = 'x', dtype = 'float32', shape }) => ({ name, dtype, shape })),
  outputs: outputs.map(({ name = 'logits', dtype = 'float32', shape }) => ({ name, dtype, shape })),
  nodes: [],
  parameters: [],
  constants: [],
})
const feature = (shape: Shape, more: Partial<ColumnFacts> = {}): ColumnFacts => ({
  name: 'features',
  role: 'FEATURE',
  dtype: 'float32',
  shape,
  statistics: { min: -1, max: 1, integral: false },
  ...more,
})
const label = (
  shape: Shape,
  min: number,
  max: number,
  integral = true,
  more: Partial<ColumnFacts> = {},
): ColumnFacts => ({
  name: 'y',
  role: 'LABEL',
  dtype: 'int64',
  shape,
  statistics: { min, max, integral },
  ...more,
})

interface Case {
  readonly task?: Task
  readonly classes?: readonly string[]
  readonly input?: readonly Dimension[]
  readonly inputDtype?: DType
  readonly output?: readonly Dimension[]
  readonly feature?: ColumnFacts
  readonly label?: ColumnFacts
  readonly labelNames?: readonly string[] | null
}
function fit(c: Case) {
  const question: Question = {
    graph: graph([{ shape: c.input ?? ['N', 4], dtype: c.inputDtype ?? 'float32' }], [{ shape: c.output ?? ['N', 3] }]),
    task: c.task ?? 'MULTICLASS',
    classes: c.classes ?? [],
  }
  const columns = [c.feature ?? feature([4]), { ...(c.label ?? label([], 0, 2)), names: c.labelNames }]
  return fitDataset(question, { rows: 10, columns })
}
const refusal = (run: () => unknown): { code: string; message: string } => {
  try {
    run()
  } catch (error) {
    return error as { code: string; message: string }
  }
  throw new Error('nothing was thrown')
}

describe('features', () => {
  test('of one column feed the one input, whatever the names', () => {
    expect(fit({})).toEqual({
      inputs: [{ input: 'x', column: 'features', shape: [4] }],
      output: 'logits',
      labels: { column: 'y', perSample: 1, classOf: null },
      weights: null,
      classes: ['0', '1', '2'],
      notes: [],
    })
  })

  test('without a channel get one, and the report says so', () => {
    const { inputs, notes } = fit({ input: ['N', 1, 8, 8], feature: feature([8, 8]) })
    expect(inputs[0]!.shape).toEqual([1, 8, 8])
    expect(notes).toEqual(['samples of column features, [8, 8], are given to the model as [1, 8, 8]'])
  })

  test('fit dimensions that have no number', () => {
    expect(fit({ input: ['N', 3, 'height', 'width'], feature: feature([3, 17, 5]) }).inputs[0]!.shape).toEqual([
      3, 17, 5,
    ])
  })

  test.each([
    [['N', 4], [5]],
    [['N', 1, 8, 8], [64]],
    [
      ['N', 3, 8, 8],
      [8, 8],
    ],
    [
      ['N', 64],
      [8, 8],
    ],
    [
      ['N', 8, 8],
      [1, 8, 8],
    ],
    [['N', 4], []],
  ] as const)('of another shape are refused with both shapes: %j and %j', (input, shape) => {
    const { code, message } = refusal(() => fit({ input, feature: feature(shape) }))
    expect(code).toBe('DATASET_SHAPE_MISMATCH')
    expect(message).toContain(`samples of shape [${shape.join(', ')}]`)
    expect(message).toContain(`expects [${input.slice(1).join(', ')}]`)
  })

  test('of another dtype are converted, and the report says so', () => {
    expect(fit({ feature: feature([4], { dtype: 'uint8' }) }).notes).toEqual([
      'column features is converted from uint8 to float32; its values are not scaled',
    ])
  })

  test('with fractions do not go into a whole-number input, nor do complex ones into any', () => {
    expect(refusal(() => fit({ inputDtype: 'int64' })).message).toContain('has fractions')
    const whole = feature([4], { statistics: { min: 0, max: 9, integral: true } })
    expect(fit({ inputDtype: 'int64', feature: whole }).inputs).toHaveLength(1)
    expect(refusal(() => fit({ feature: feature([4], { dtype: 'complex64' }) })).code).toBe('DATASET_SHAPE_MISMATCH')
  })

  const two = graph(
    [
      { name: 'image', shape: ['N', 4] },
      { name: 'age', shape: ['N', 1] },
    ],
    [{ shape: ['N', 3] }],
  )
  const question: Question = { graph: two, task: 'MULTICLASS', classes: [] }

  test('of several columns go by name', () => {
    const columns = [
      feature([1], { name: 'age' }),
      feature([4], { name: 'image' }),
      feature([9], { name: 'id' }),
      label([], 0, 2),
    ]
    const { inputs, notes } = fitDataset(question, { rows: 1, columns })
    expect(inputs.map(({ input, column }) => [input, column])).toEqual([
      ['image', 'image'],
      ['age', 'age'],
    ])
    expect(notes).toEqual(['feature columns that no input is named after are not used: id'])
  })

  test('that are missing are named', () => {
    const columns = [feature([1], { name: 'age' }), feature([4], { name: 'picture' }), label([], 0, 2)]
    const { code, message } = refusal(() => fitDataset(question, { rows: 1, columns }))
    expect(code).toBe('DATASET_SHAPE_MISMATCH')
    expect(message).toContain('inputs image, age')
    expect(message).toContain('feature columns age, picture')
    expect(message).toContain('no column is called image')
  })

  test('need a batch of any size', () => {
    const { code, message } = refusal(() => fit({ input: [2, 4] }))
    expect(code).toBe('ARCHITECTURE_INVALID')
    expect(message).toContain("dynamic_axes={'x': {0: 'N'}}")
  })
})

describe('labels', () => {
  test.each<[Task, Dimension[], ColumnFacts]>([
    ['BINARY', ['N'], label([], 0, 1)],
    ['BINARY', ['N', 1], label([1], 1, 1)],
    ['BINARY', ['N', 2], label([], 0, 1)],
    ['MULTICLASS', ['N', 3], label([], 0, 2)],
    ['MULTICLASS', ['N', 3], label([1], 1, 1, true, { dtype: 'float64' })],
    ['MULTILABEL', ['N', 3], label([3], 0, 1)],
    ['MULTILABEL', ['N', 1], label([], 0, 1)],
    ['REGRESSION', ['N'], label([1], -7.5, 1e9, false)],
    ['REGRESSION', ['N', 3], label([3], -7.5, 1e9, false)],
    ['REGRESSION', ['N', 2, 3], label([2, 3], 0, 1, false)],
  ])('of %s with logits %j fit', (task, output, labels) => {
    expect(fit({ task, output, label: labels }).labels.column).toBe('y')
  })

  test.each<[Task, Dimension[], ColumnFacts, string, RegExp]>([
    ['BINARY', ['N'], label([], 0, 2), 'DATASET_LABEL_UNKNOWN', /from 0 to 2.*0 or 1/],
    ['BINARY', ['N'], label([], -1, 1), 'DATASET_LABEL_UNKNOWN', /from -1 to 1/],
    ['BINARY', ['N', 3], label([], 0, 1), 'DATASET_SHAPE_MISMATCH', /one logit, or two/],
    ['MULTICLASS', ['N', 3], label([], 1, 3), 'DATASET_LABEL_UNKNOWN', /from 1 to 3.*whole numbers from 0 to 2/],
    ['MULTICLASS', ['N', 3], label([], 0, 1.5, false), 'DATASET_LABEL_UNKNOWN', /not all of them whole/],
    ['MULTICLASS', ['N', 3], label([3], 0, 1), 'DATASET_SHAPE_MISMATCH', /argmax\(1\)/],
    ['MULTICLASS', ['N', 1], label([], 0, 0), 'DATASET_SHAPE_MISMATCH', /at least two/],
    ['MULTICLASS', ['N', 'classes'], label([], 0, 0), 'DATASET_SHAPE_MISMATCH', /depend on classes/],
    ['MULTILABEL', ['N', 3], label([2], 0, 1), 'DATASET_SHAPE_MISMATCH', /\[2\].*\[3\]/],
    ['MULTILABEL', ['N', 3], label([3], 0, 2), 'DATASET_LABEL_UNKNOWN', /0 or 1/],
    ['REGRESSION', ['N', 2], label([3], 0, 2), 'DATASET_SHAPE_MISMATCH', /\[3\].*\[2\]/],
    ['REGRESSION', ['N', 2, 3], label([6], 0, 2), 'DATASET_SHAPE_MISMATCH', /\[6\].*\[2, 3\]/],
  ])('of %s with logits %j are refused', (task, output, labels, code, message) => {
    expect(refusal(() => fit({ task, output, label: labels }))).toMatchObject({
      code,
      message: expect.stringMatching(message) as unknown,
    })
  })

  test('that are strings are class names', () => {
    const labelNames = ['bird', 'cat', 'dog']
    expect(fit({ classes: ['dog', 'bird', 'cat'], labelNames }).labels.classOf).toEqual([1, 2, 0])
    expect(fit({ task: 'BINARY', output: ['N'], classes: ['cat', 'dog'], labelNames: ['dog'] }).labels.classOf).toEqual(
      [1],
    )
  })

  test('that are strings and no class are named', () => {
    expect(refusal(() => fit({ classes: ['dog', 'bird', 'fish'], labelNames: ['bird', 'cat'] }))).toMatchObject({
      code: 'DATASET_LABEL_UNKNOWN',
      message: expect.stringMatching(/"cat", which is no class.*"dog", "bird", "fish"/) as unknown,
    })
    expect(refusal(() => fit({ labelNames: ['bird', 'cat'] })).message).toContain('the model names no classes')
    expect(refusal(() => fit({ task: 'REGRESSION', label: label([3], 0, 1), labelNames: ['a'] })).code).toBe(
      'DATASET_LABEL_UNKNOWN',
    )
  })

  test('need as many class names as there are logits', () => {
    expect(refusal(() => fit({ classes: ['a', 'b'] })).message).toContain('2 class names')
    expect(fit({ classes: ['a', 'b', 'c'] }).classes).toEqual(['a', 'b', 'c'])
    expect(fit({ task: 'BINARY', output: ['N'], label: label([], 0, 1) }).classes).toEqual(['0', '1'])
  })

  test('are one column', () => {
    const question: Question = {
      graph: graph([{ shape: ['N', 4] }], [{ shape: ['N', 3] }]),
      task: 'MULTICLASS',
      classes: [],
    }
    const none = refusal(() => fitDataset(question, { rows: 1, columns: [feature([4])] }))
    expect(none).toMatchObject({ code: 'BAD_INPUT', message: expect.stringContaining('no label column') as unknown })
  })

  test('of no samples fit', () => {
    const question: Question = {
      graph: graph([{ shape: ['N', 4] }], [{ shape: ['N', 3] }]),
      task: 'MULTICLASS',
      classes: [],
    }
    const columns = [feature([4]), label([], Infinity, -Infinity)]
    expect(fitDataset(question, { rows: 0, columns }).classes).toHaveLength(3)
  })
})

describe('the logits', () => {
  const inputs: Value[] = [{ shape: ['N', 4] }]
  const columns = [feature([4]), label([], 0, 2)]
  const output = (...outputs: Value[]) =>
    fitDataset({ graph: graph(inputs, outputs), task: 'MULTICLASS', classes: [] }, { rows: 1, columns })

  test('are the output of that name, or the first', () => {
    const [hidden, logits, scores]: Value[] = [
      { name: 'hidden', shape: ['N', 9] },
      { name: 'logits', shape: ['N', 3] },
      { name: 'scores', shape: ['N', 3] },
    ]
    expect(output(hidden!, logits!).output).toBe('logits')
    const { output: first, notes } = output(scores!, hidden!)
    expect(first).toBe('scores')
    expect(notes[0]).toContain('outputs scores, hidden')
  })
})
