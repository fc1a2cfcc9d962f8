import { readFile, stat } from 'node:fs/promises'
import { PREDICT, type Predict, type Prediction } from './documents.ts'
import { CliFailure } from './failure.ts'
import { findCheckpoint } from './find-checkpoint.ts'
import { findDataset } from './find-dataset.ts'
import { keyMappingOf } from './key-mapping.ts'
import { formatBytes } from './number-format.ts'
import { hashFile } from './names.ts'
import type { PlatformClient } from './platform-client.ts'
import { STDIN, type PredictOptions } from './predict-options.ts'

/** Bytes of JSON samples: a request of the platform takes no more. */
const JSON_BYTES = 1_000_000

/**
 * Finds the checkpoint, brings the samples to the platform and asks.
 * @throws CliFailure
 */
export async function predictSamples(
  client: PlatformClient,
  options: PredictOptions,
  signal: AbortSignal,
): Promise<Prediction> {
  const { threshold, activation, device, engine, computeDtype, strict, mapLocation } = options
  const input = {
    checkpointId:
      options.checkpointId ??
      (await findCheckpoint(client, { model: options.model ?? '', name: options.checkpoint ?? '' }, signal)),
    ...(await samples(client, options, signal)),
    threshold,
    activation: activation?.toUpperCase(),
    device,
    engine: engine?.toUpperCase(),
    computeDtype: computeDtype?.toUpperCase(),
    strict,
    mapLocation,
    keyMapping: keyMappingOf(options),
  }
  const { prediction, errors } = (await client.query<Predict>(PREDICT, { input }, signal)).predict
  if (prediction !== null) return prediction
  throw new CliFailure(
    errors[0]?.code ?? 'INTERNAL',
    errors.map(({ message }) => message).join('\n') || 'the platform gave no answer',
  )
}

/** The fields of `PredictInput` that say what to predict. */
async function samples(
  client: PlatformClient,
  { input, labelColumn, dataset, indices }: PredictOptions,
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  if (dataset !== undefined) return { datasetId: await findDataset(client, dataset, signal), indices }
  const path = input ?? STDIN
  if (path === STDIN) return { inputs: parse('standard input', await readStdin()) }
  if (/\.json$/i.test(path)) {
    const { size } = await stat(path)
    if (size > JSON_BYTES) throw tooLarge(path, size)
    return { inputs: parse(path, await readFile(path, 'utf8')) }
  }
  const file = { path, sha256: await hashFile(path, signal) }
  const { uploadId } = await client.upload(file, () => undefined, signal)
  return { uploadId, labelColumn }
}

async function readStdin(): Promise<string> {
  let bytes = 0
  const pieces: Buffer[] = []
  for await (const piece of process.stdin) {
    pieces.push(piece as Buffer)
    bytes += (piece as Buffer).length
    if (bytes > JSON_BYTES) throw tooLarge('standard input', bytes)
  }
  return Buffer.concat(pieces).toString('utf8')
}

function parse(where: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new CliFailure('BAD_INPUT', `${where} is no JSON: ${(error as Error).message}`)
  }
}

const tooLarge = (where: string, bytes: number): CliFailure =>
  new CliFailure(
    'LIMIT_EXCEEDED',
    `${where} has ${formatBytes(bytes)} of JSON and a request takes ${formatBytes(JSON_BYTES)}; save the samples as .npy or .npz`,
  )
