import { readFile } from 'node:fs/promises'
import {
  createModel,
  importCheckpoint,
  importDataset,
  type ImportCheckpointInput,
  type Platform,
} from '../../../src/usecase/index.ts'
import { fixture, upload } from './test-platform.ts'

let count = 0
const unique = (name: string): string => `${name} ${++count}`

/** The digits classifier, from its layer list or its ONNX file. */
export async function digitsModel(platform: Platform, source: 'layers' | 'onnx' = 'layers'): Promise<string> {
  const architecture =
    source === 'layers'
      ? { layers: JSON.parse(await readFile(fixture('digits_cnn.layers.json'), 'utf8')) as unknown }
      : { uploadId: await upload(platform, 'digits_cnn.onnx') }
  return (await createModel(platform, { name: unique('digits'), task: 'MULTICLASS', architecture })).id
}

/** The breast cancer classifier: one logit. */
export async function cancerModel(platform: Platform): Promise<string> {
  const architecture = { uploadId: await upload(platform, 'cancer_mlp.onnx') }
  return (await createModel(platform, { name: unique('cancer'), task: 'BINARY', architecture })).id
}

/** A fixture as a checkpoint. */
export async function checkpoint(
  platform: Platform,
  modelId: string,
  file: string,
  options: Partial<ImportCheckpointInput> = {},
): Promise<string> {
  const uploadId = await upload(platform, file)
  return (await importCheckpoint(platform, { modelId, uploadId, name: unique(file), ...options })).id
}

/** A fixture, or bytes, as a dataset. */
export async function dataset(
  platform: Platform,
  file: string,
  options: { readonly bytes?: Uint8Array | string; readonly labelColumn?: string } = {},
): Promise<string> {
  const uploadId = await upload(platform, file, options.bytes)
  return (await importDataset(platform, { name: unique(file), uploadId, labelColumn: options.labelColumn })).id
}
