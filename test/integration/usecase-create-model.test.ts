import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { randomUUID } from 'node:crypto'
import { createModel, type CreateModelInput, type Platform } from '../../src/usecase/index.ts'
import { refused } from './usecase/refusal.ts'
import { openTestPlatform, upload, type TestPlatform } from './usecase/test-platform.ts'

const linear = (inputs: number, outputs: number) => ({
  layers: [{ type: 'Linear', in_features: inputs, out_features: outputs }],
  input: [inputs],
})

describe('createModel', () => {
  let test_: TestPlatform
  let platform: Platform
  beforeAll(async () => {
    test_ = await openTestPlatform({ layersBytes: 100_000 })
    platform = test_.platform
  })
  afterAll(async () => {
    await test_[Symbol.asyncDispose]()
  })

  const create = (input: Partial<CreateModelInput>) =>
    createModel(platform, { name: randomUUID(), task: 'MULTICLASS', architecture: { layers: linear(4, 3) }, ...input })
  const refusal = (input: Partial<CreateModelInput>, ...[code, message]: [Parameters<typeof refused>[2], RegExp]) =>
    refused(platform, () => create(input), code, message)

  test('takes a layer list', async () => {
    const model = await create({
      name: '  iris ',
      description: 'flowers',
      classes: ['setosa', 'versicolor', 'virginica'],
    })
    expect(model).toMatchObject({
      name: 'iris',
      description: 'flowers',
      task: 'MULTICLASS',
      classes: ['setosa', 'versicolor', 'virginica'],
    })
    const architecture = await platform.store.prisma.architecture.findUniqueOrThrow({
      where: { id: model.architectureId },
    })
    expect(architecture).toMatchObject({ source: 'LAYERS', layers: linear(4, 3), parameterCount: 15n })
  })

  test('takes an uploaded ONNX file or layer list, and consumes it', async () => {
    const onnx = await create({ task: 'BINARY', architecture: { uploadId: await upload(platform, 'cancer_mlp.onnx') } })
    const uploadId = await upload(platform, 'model.json', `\uFEFF\n ${JSON.stringify(linear(4, 3))}`)
    const layers = await create({ architecture: { uploadId } })
    expect(layers.classes).toEqual(['0', '1', '2'])
    const sources = await platform.store.prisma.architecture.findMany({
      where: { id: { in: [onnx.architectureId, layers.architectureId] } },
      select: { source: true, layers: true },
    })
    expect(sources).toEqual(
      expect.arrayContaining([
        { source: 'ONNX', layers: null },
        { source: 'LAYERS', layers: linear(4, 3) },
      ]),
    )
    await expect(create({ architecture: { uploadId } })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  test('keeps equal graphs once, also when they come at the same time', async () => {
    const models = await Promise.all(
      Array.from({ length: 5 }, () => create({ architecture: { layers: linear(7, 3) } })),
    )
    const { architectureId } = models[0]!
    expect(new Set(models.map((model) => model.architectureId))).toEqual(new Set([architectureId]))
    expect(await create({ architecture: { architectureId } })).toMatchObject({ architectureId })
  })

  test('gives a name once, also when it is asked for at the same time', async () => {
    const name = randomUUID()
    const results = await Promise.allSettled(Array.from({ length: 5 }, () => create({ name })))
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const result of results)
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'CONFLICT' })
    const uploadId = await upload(platform, 'cancer_mlp.onnx')
    await refusal(
      { name, task: 'BINARY', architecture: { uploadId } },
      'CONFLICT',
      /a model named .* already; choose another/,
    )
    // The upload is still there for another name.
    await create({ task: 'BINARY', architecture: { uploadId } })
  })

  test('checks names', async () => {
    await refusal({ name: ' ' }, 'BAD_INPUT', /the name of the model is empty/)
    await refusal({ name: 'x'.repeat(201) }, 'BAD_INPUT', /201 characters; at most 200/)
    await refusal({ name: 'a\0b' }, 'BAD_INPUT', /control characters/)
    await refusal({ description: 'x'.repeat(10_001) }, 'BAD_INPUT', /10001 characters/)
    await refusal({ description: 'a\0b' }, 'BAD_INPUT', /no text/)
  })

  test('checks that classes, task and output go together', async () => {
    await refusal({ task: 'BINARY' }, 'BAD_INPUT', /puts out 3 values for a sample; BINARY takes one/)
    await refusal({ classes: ['a', 'b'] }, 'BAD_INPUT', /2 class names were given/)
    await refusal({ architecture: { layers: linear(4, 1) } }, 'BAD_INPUT', /MULTICLASS takes at least two/)
    await refusal({ task: 'REGRESSION', classes: ['a'] }, 'BAD_INPUT', /has no classes/)
    const image = { layers: [{ type: 'Conv2d', in_channels: 1, out_channels: 2, kernel_size: 1 }], input: [1, 4, 4] }
    await refusal(
      { architecture: { layers: image } },
      'ARCHITECTURE_INVALID',
      /is \[N, 2, 4, 4\]; MULTICLASS takes one row/,
    )
    expect(await create({ task: 'REGRESSION', architecture: { layers: image } })).toMatchObject({ classes: [] })
  })

  test('refuses what is no architecture', async () => {
    await refusal({ architecture: { layers: undefined } }, 'ARCHITECTURE_INVALID', /empty/)
    await refusal({ architecture: { layers: null } }, 'ARCHITECTURE_INVALID', /./)
    await refusal(
      { architecture: { layers: { layers: [{ type: 'Linearr' }], input: [1] } } },
      'ARCHITECTURE_UNSUPPORTED_OPERATOR',
      /Linearr/,
    )
    await refusal(
      { architecture: { layers: { layers: 'x'.repeat(100_000), input: [1] } } },
      'LIMIT_EXCEEDED',
      /at most 100000/,
    )
    await refusal({ architecture: { architectureId: randomUUID() } }, 'NOT_FOUND', /no architecture/)
    await refusal({ architecture: { uploadId: randomUUID() } }, 'NOT_FOUND', /no upload/)
    const file = async (content: string) => ({ uploadId: await upload(platform, 'm.onnx', content) })
    await refusal({ architecture: await file('') }, 'ARCHITECTURE_INVALID', /empty/)
    await refusal(
      { architecture: await file('{"layers": [') },
      'ARCHITECTURE_INVALID',
      /m.onnx: begins as JSON and is none/,
    )
    await refusal({ architecture: await file('<!DOCTYPE html><html>') }, 'ARCHITECTURE_INVALID', /HTML/)
    await refusal({ architecture: await file(`[${' '.repeat(100_000)}]`) }, 'LIMIT_EXCEEDED', /at most 100000/)
    await refusal({ architecture: { uploadId: await upload(platform, 'digits_cnn.pth') } }, 'ARCHITECTURE_INVALID', /./)
  })
})
