import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { join } from 'node:path'
import { OPERATOR_NAMES } from '../../src/architecture/index.ts'
import { threadedEngine, type Engine, type ThreadedEngine } from '../../src/engine/index.ts'
import { OPERATORS } from '../../src/engine/tensorflow/operators/table.ts'
import type { TensorMap } from '../../src/tensor/index.ts'
import { compiled } from '../compiled.ts'
import { nativeTensorflow } from './native-tensorflow.ts'
import { OPERATOR_CASES, withPooledInput, type OperatorCase } from './operator-cases.ts'
import { parameterFile, temporaryFolder } from './parameter-file.ts'
import { lacksOn } from '../../src/engine/tensorflow/lacks.ts'
import { BACKENDS, tensorflowOn } from './tensorflow-backends.ts'

/** Sums are taken in another order, and functions approximated in another way. */
const TOLERANCE = 1e-4

type Folder = Awaited<ReturnType<typeof temporaryFolder>>

async function outputsOf(engine: Engine, folder: Folder, { graph, values, inputs }: OperatorCase): Promise<TensorMap> {
  const parameters = await parameterFile(join(folder.path, 'weights'), graph, values)
  await using session = await engine.load(graph, parameters, 'cpu', { threads: 1 })
  const copies = Object.entries(inputs).map(
    ([name, tensor]) => [name, { ...tensor, data: tensor.data.slice() }] as const,
  )
  return (await session.run(new Map(copies))).outputs
}

function expectSame(found: TensorMap, expected: TensorMap): void {
  expect([...found.keys()]).toEqual([...expected.keys()])
  for (const [name, { dtype, shape, data }] of expected) {
    const tensor = found.get(name)!
    expect({ dtype: tensor.dtype, shape: [...tensor.shape] }).toEqual({ dtype, shape: [...shape] })
    const numbers = Array.from(tensor.data as ArrayLike<number | bigint>, Number)
    const largest = Math.max(
      1,
      ...Array.from(data as ArrayLike<number | bigint>, (x) => Math.abs(Number(x))).filter(Number.isFinite),
    )
    for (const [i, number] of Array.from(data as ArrayLike<number | bigint>, Number).entries())
      if (
        !Object.is(number, numbers[i]) &&
        number !== numbers[i] &&
        !(Math.abs(number - numbers[i]!) <= TOLERANCE * largest)
      )
        expect({ at: i, number: numbers[i] }).toEqual({ at: i, number })
  }
}

const named = OPERATOR_CASES.map((each, i) => {
  const attributes = Object.entries(each.graph.nodes[0]!.attributes).map(
    ([name, { value }]) => `${name}=${JSON.stringify(value)}`,
  )
  return [`${i} ${each.op} ${attributes.join(' ')}`, each] as const
})

test('every operator of the importer is there, and has a case', () => {
  expect([...OPERATORS.keys()].sort()).toEqual(OPERATOR_NAMES)
  expect([...new Set(OPERATOR_CASES.map(({ op }) => op))].sort()).toEqual(OPERATOR_NAMES)
})

for (const backend of BACKENDS) {
  const suite = backend !== 'tensorflow' || nativeTensorflow ? describe : describe.skip
  suite(`operators on the backend ${backend} of TensorFlow.js give what they give on ONNX Runtime`, () => {
    let folder: Folder
    let reference: ThreadedEngine
    let engine: ThreadedEngine
    beforeAll(async () => {
      folder = await temporaryFolder()
      reference = await threadedEngine(compiled('engine/onnxruntime/index.js'))
      engine = await tensorflowOn(backend, folder.path)
    })
    afterAll(async () => {
      await engine[Symbol.asyncDispose]()
      await reference[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    })

    test.each(named.filter(([, { op }]) => !lacksOn(backend).operators.includes(op)))('%s', async (_, each) => {
      expectSame(await outputsOf(engine, folder, each), await outputsOf(reference, folder, each))
      const pooled = withPooledInput(each)
      if (pooled) expectSame(await outputsOf(engine, folder, pooled), await outputsOf(reference, folder, pooled))
    })
  })
}
