import { startRun, type Platform } from '../../../src/usecase/index.ts'
import type { RunEventItem } from '../../../src/store/index.ts'
import { checkpoint, dataset, digitsModel } from '../usecase/fixture-models.ts'
import { safetensorsFile } from '../usecase/safetensors-file.ts'

/** Samples of the long run. */
export const LONG = 8000

/** What a run that takes seconds needs: many made-up images for the digits classifier. */
export async function longRun(
  platform: Platform,
): Promise<{ readonly checkpointId: string; readonly datasetId: string }> {
  const checkpointId = await checkpoint(platform, await digitsModel(platform), 'digits_cnn.pth')
  const data = Float32Array.from({ length: LONG * 64 }, (_, i) => Math.abs(Math.sin(i * 12.9898)))
  const labels = BigInt64Array.from({ length: LONG }, (_, i) => BigInt(i % 10))
  const bytes = safetensorsFile({
    x: { dtype: 'float32', shape: [LONG, 1, 8, 8], data },
    y: { dtype: 'int64', shape: [LONG], data: labels },
  })
  return { checkpointId, datasetId: await dataset(platform, 'long.safetensors', { bytes }) }
}

/** Starts it one sample at a time, and returns when some are counted. */
export async function startLongRun(platform: Platform, input: Awaited<ReturnType<typeof longRun>>): Promise<string> {
  const { id } = await startRun(platform, { ...input, batchSize: 1 })
  await event(platform, id, ({ kind }) => kind === 'PROGRESS')
  return id
}

/** The first event that is as wanted. */
export async function event(
  { store }: Platform,
  runId: string,
  wanted: (event: RunEventItem) => boolean,
): Promise<RunEventItem> {
  for await (const item of store.events.subscribe(runId)) if (wanted(item)) return item
  throw new Error('the run ended without the event')
}
