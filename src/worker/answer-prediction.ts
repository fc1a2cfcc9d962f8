import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { performance } from 'node:perf_hooks'
import { AppError, type ErrorCode } from '../error.ts'
import { defaultBatchSize, predictLogits } from '../evaluation/index.ts'
import type { PredictionAnswer, TakenPrediction } from '../store/index.ts'
import {
  createLruCache,
  loadModelPlan,
  unpackTensors,
  type ModelPlan,
  type PredictionReply,
  type PredictionRequest,
} from '../usecase/index.ts'
import { borrowSession } from './borrow-session.ts'
import type { EngineDevice } from './engine-devices.ts'
import type { Workbench } from './workbench.ts'

/** Plans that are remembered: what they are made from never changes. */
const REMEMBERED = 64

/** A plan, and the batch size of a run that was told none. */
interface RememberedPlan {
  readonly plan: ModelPlan
  readonly batchSize: number
}

/**
 * Answers predictions with the sessions that runs use, whose batches the engine takes in turn with theirs.
 * @param there the devices of the worker.
 * @param checkEngines throws when an engine has died: its predictions are another worker's then.
 */
export function predictionAnswerer(
  bench: Workbench,
  there: readonly EngineDevice[],
  checkEngines: () => Promise<void>,
): (prediction: TakenPrediction) => Promise<PredictionAnswer> {
  const { platform } = bench
  const plans = createLruCache<RememberedPlan>(REMEMBERED)

  async function answer(prediction: TakenPrediction): Promise<PredictionAnswer> {
    const begin = performance.now()
    const { signal } = prediction
    const request = prediction.request as PredictionRequest
    const { checkpointId, strict, keyMapping, wish } = request
    const choice = { checkpointId, strict, keyMapping }
    const { plan, batchSize } = await plans.get(JSON.stringify(choice), async () => {
      const made = await loadModelPlan(platform, choice)
      return { plan: made, batchSize: defaultBatchSize(made.graph) }
    })
    const { borrowed, on, choice: reason } = await borrowSession(bench, plan, wish, signal, there)
    await using session = borrowed
    const inputs = unpackTensors(request, prediction.inputs)
    const n = request.tensors[0]!.shape[0]!
    const engineBegin = performance.now()
    try {
      const logits = await predictLogits({ session: session.session, output: request.output, inputs, n, batchSize })
      const end = performance.now()
      return reply(
        {
          kind: 'LOGITS',
          device: on.device.id,
          engine: on.engine.name,
          engineVersion: on.engine.version,
          choice: reason,
          warm: session.warm,
          workerMs: end - begin,
          engineMs: end - engineBegin,
        },
        new Uint8Array(logits.buffer, logits.byteOffset, logits.byteLength),
      )
    } catch (error) {
      session.discard()
      throw error
    }
  }

  return async (prediction) => {
    const { signal } = prediction
    try {
      return await unlessAborted(answer(prediction), signal)
    } catch (error) {
      // Not answered: another worker does.
      if (signal.aborted) throw error
      await checkEngines()
      return reply(refusal(error, bench, prediction.id))
    }
  }
}

function refusal(error: unknown, { platform }: Workbench, predictionId: string): PredictionReply {
  const failed = (code: ErrorCode, message: string): PredictionReply => ({ kind: 'ERROR', code, message })
  if (error instanceof AppError) return failed(error.code, error.message)
  const id = randomUUID()
  platform.log.error({ err: error, predictionId, errorId: id }, 'a prediction failed unexpectedly')
  return failed('INTERNAL', `internal error ${id}: the log of worker ${hostname()} says more`)
}

const reply = (answer: PredictionReply, logits: Uint8Array = new Uint8Array(0)): PredictionAnswer => ({
  answer,
  logits,
})

/** Native code cannot be interrupted: what is computed is then left to end by itself. */
async function unlessAborted<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  work.catch(() => undefined)
  signal.throwIfAborted()
  let onAbort = (): void => undefined
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal.reason as Error)
    signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
