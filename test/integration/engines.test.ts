/* eslint-disable @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-return, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-argument
   -- these tests look into the data of any operation */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { join } from 'node:path'
import { threadedEngine, type ThreadedEngine } from '../../src/engine/index.ts'
import { startRun } from '../../src/usecase/index.ts'
import { runWorker } from '../../src/worker/index.ts'
import { compiled } from '../compiled.ts'
import { temporaryFolder } from '../engine/parameter-file.ts'
import { tensorflowOn } from '../engine/tensorflow-backends.ts'
import { graphql } from './api/client.ts'
import { startTestApi, type TestApi } from './api/server.ts'
import { upload, uploadFixture } from './api/upload.ts'
import { predicted, refusal } from './predict/ask.ts'
import { checkpoint, dataset, digitsModel } from './usecase/fixture-models.ts'
import { ended } from './worker/test-worker.ts'

const COMPARE = `query Compare($input: CompareEnginesInput!) {
  compareEngines(input: $input) {
    samples reference
    engines {
      engine device computeDtype largestDifference meanDifference relativeDifference labelFlips samplesPerSecond error { code message }
    }
  }
}`

interface Comparison {
  readonly samples: number
  readonly reference: string
  readonly engines: readonly [ComparedEngine, ComparedEngine]
}
interface ComparedEngine {
  readonly engine: string
  readonly largestDifference: number
  readonly meanDifference: number
  readonly relativeDifference: number
  readonly labelFlips: number
  readonly samplesPerSecond: number
}

/** A worker with ONNX Runtime, and TensorFlow.js in plain JavaScript, which needs no set-up. */
describe('a worker with two engines', () => {
  let api: TestApi
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  let engines: ThreadedEngine[]
  let worker: Promise<void>
  const stop = new AbortController()
  let checkpointId: string
  let datasetId: string

  beforeAll(async () => {
    api = await startTestApi()
    folder = await temporaryFolder()
    engines = [await threadedEngine(compiled('engine/onnxruntime/index.js')), await tensorflowOn('cpu', folder.path)]
    const { platform } = api
    await new Promise<void>((onReady, reject) => {
      worker = runWorker({
        ...{ platform, engines, threads: 1, onReady, signal: stop.signal },
        cacheDir: join(platform.spoolDir, 'cache'),
      })
      worker.catch(reject)
    })
    checkpointId = await checkpoint(platform, await digitsModel(platform, 'onnx'), 'digits_cnn.pth')
    datasetId = await dataset(platform, 'digits_test.npz')
  })
  afterAll(async () => {
    stop.abort()
    await worker
    for (const engine of engines) await engine[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
    await api[Symbol.asyncDispose]()
  })

  const ids = () => ({ checkpointId: `ckp_${checkpointId}`, datasetId: `dat_${datasetId}` })

  test.each([
    ['AUTO', 'onnxruntime', 'cpu is the only device; onnxruntime comes before tensorflow on this worker'],
    ['TENSORFLOW', 'tensorflow', 'cpu is the only device; tensorflow was asked for'],
    ['ONNXRUNTIME', 'onnxruntime', 'cpu is the only device; onnxruntime was asked for'],
  ])('a run that asks for %s is executed by %s, and says why', async (asked, engine, engineReason) => {
    const { platform } = api
    const { data } = await graphql(
      api.url,
      `
        mutation ($input: StartRunInput!) {
          startRun(input: $input) {
            run {
              id
            }
            errors {
              message
            }
          }
        }
      `,
      { input: { ...ids(), engine: asked } },
    )
    const { id } = data.startRun.run
    await ended(platform, id.slice(4))
    const { data: after } = await graphql(
      api.url,
      `
        query ($id: ID!) {
          run(id: $id) {
            status
            engine
            engineReason
            usedBatchSize
            configuration {
              engine
              computeDtype
              batchSize
            }
            log {
              message
            }
            metrics(names: ["accuracy"]) {
              value
            }
          }
        }
      `,
      { id },
    )
    expect(after.run).toMatchObject({
      ...{ status: 'SUCCEEDED', engine, engineReason },
      configuration: { engine: asked, computeDtype: 'FLOAT32' },
      usedBatchSize: after.run.configuration.batchSize,
    })
    expect(after.run.log).toContainEqual({ message: `chosen because ${engineReason}` })
    // scikit-learn's, of the same logits: test/fixtures/expected.json.
    expect(after.run.metrics[0].value).toBeCloseTo(0.9888888888888889, 9)
  })

  test('a prediction goes to the engine that it asks for', async () => {
    const ask = (engine: string) => predicted(api.url, { ...ids(), indices: [0], engine })
    expect(await ask('TENSORFLOW')).toMatchObject({ engine: 'tensorflow' })
    expect(await ask('ONNXRUNTIME')).toMatchObject({ engine: 'onnxruntime' })
  })

  test('what no device computes in is refused before it is queued', async () => {
    const message = /there is no device that computes in float16: there are cpu \(onnxruntime\), cpu \(tensorflow\)/
    await expect(startRun(api.platform, { checkpointId, datasetId, computeDType: 'float16' })).rejects.toMatchObject({
      code: 'DEVICE_UNAVAILABLE',
      message: expect.stringMatching(message),
    })
    expect(await refusal(api.url, { ...ids(), indices: [0], computeDtype: 'FLOAT16' })).toMatch(message)
  })

  test('devices say what they compute in and what their engine lacks', async () => {
    const { data } = await graphql(api.url, '{ devices { id engine computeDtypes lackingOperators } }')
    expect(data.devices).toEqual([
      { id: 'cpu', engine: 'onnxruntime', computeDtypes: ['FLOAT32'], lackingOperators: [] },
      { id: 'cpu', engine: 'tensorflow', computeDtypes: ['FLOAT32'], lackingOperators: expect.any(Array) },
    ])
  })

  describe('compareEngines', () => {
    const compare = async (input: Record<string, unknown>): Promise<Comparison> => {
      const { data, errors } = await graphql(api.url, COMPARE, { input: { ...ids(), ...input } })
      if (errors?.[0]) throw new Error(`${errors[0].extensions.code}: ${errors[0].message}`)
      return data.compareEngines
    }

    test('says how far the engines are apart', async () => {
      const { samples, reference, engines: found } = await compare({ sample: 64 })
      expect({ samples, reference }).toEqual({ samples: 64, reference: 'onnxruntime on cpu in float32' })
      expect(found).toHaveLength(2)
      expect(found[0]).toMatchObject({ engine: 'ONNXRUNTIME', largestDifference: 0, labelFlips: 0, error: null })
      expect(found[1]).toMatchObject({ engine: 'TENSORFLOW', labelFlips: 0, error: null })
      expect(found[1].largestDifference).toBeGreaterThan(0)
      for (const one of found) {
        expect(one.relativeDifference).toBeLessThan(1e-4)
        expect(one.meanDifference).toBeLessThanOrEqual(one.largestDifference)
        expect(one.samplesPerSecond).toBeGreaterThan(0)
      }
    })

    test('compares with the logits of PyTorch that were uploaded', async () => {
      const referenceUploadId = await uploadFixture(api.url, 'digits_cnn.logits.npy')
      const { samples, reference, engines: found } = await compare({ sample: 10_000, referenceUploadId })
      expect({ samples, reference }).toEqual({ samples: 450, reference: 'the uploaded logits' })
      for (const one of found) {
        expect(one.largestDifference).toBeGreaterThan(0)
        expect(one.relativeDifference).toBeLessThan(1e-4)
        expect(one.labelFlips).toBe(0)
      }
    })

    test('those of another checkpoint flip labels', async () => {
      const referenceUploadId = await uploadFixture(api.url, 'digits_cnn_epoch1.logits.npy')
      const { engines: found } = await compare({ sample: 450, referenceUploadId })
      expect(found[0].labelFlips).toBeGreaterThan(10)
      expect(found[1].labelFlips).toBe(found[0].labelFlips)
    })

    test('refuses what cannot be compared', async () => {
      await expect(compare({ sample: 0 })).rejects.toThrow(/BAD_INPUT: sample is 0; 1 to 10000/)
      const referenceUploadId = await uploadFixture(api.url, 'cancer_mlp.logits.npy')
      await expect(compare({ referenceUploadId })).rejects.toThrow(
        /BAD_INPUT: cancer_mlp.logits.npy holds an array \[171(, \d+)?\]; reference logits are one array \[450, 10\]/,
      )
      await expect(compare({ referenceUploadId: await upload(api.url, 'a.npy', 'no array') })).rejects.toThrow(/a\.npy/)
    })
  })
})
