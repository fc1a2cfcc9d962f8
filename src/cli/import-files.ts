import { basename } from 'node:path'
import {
  CREATE_CHECKPOINT,
  CREATE_DATASET,
  CREATE_MODEL,
  FIND_DATASET,
  FIND_MODEL,
  type CreateCheckpoint,
  type CreateDataset,
  type CreateModel,
  type FindDataset,
  type FindModel,
  type UserError,
} from './documents.ts'
import { datasetInput } from './evaluation-options.ts'
import type { EvaluationReporter, EvaluationRequest } from './evaluation-request.ts'
import { checkpointFiles } from './checkpoint-files.ts'
import { CliFailure } from './failure.ts'
import { contentName, hashFile } from './names.ts'
import type { PlatformClient } from './platform-client.ts'

/** What the import of files works with. */
export interface ImportContext {
  readonly client: PlatformClient
  readonly reporter: EvaluationReporter
  readonly signal: AbortSignal
}

/** The objects that a run needs. */
export interface ImportedFiles {
  readonly checkpointId: string
  readonly datasetId: string
}

/**
 * Brings the three files to the platform, except for what is there already.
 * @throws CliFailure with the platform's code.
 */
export async function importFiles(context: ImportContext, request: EvaluationRequest): Promise<ImportedFiles> {
  const model = await provideModel(context, request)
  const checkpointId = await provideCheckpoint(context, model, request.checkpointPath)
  const datasetId = await provideDataset(context, request)
  return { checkpointId, datasetId }
}

interface FoundModel {
  readonly id: string
  readonly name: string
}

async function provideModel(context: ImportContext, request: EvaluationRequest): Promise<FoundModel> {
  const { architecturePath, task, classes } = request
  const sha256 = await hashFile(architecturePath, context.signal)
  const name = contentName(architecturePath, task, sha256, task, classes)
  const found = await findModel(context, name)
  if (found !== null) return { id: found, name }
  const architecture = { uploadId: await send(context, architecturePath, sha256) }
  const { createModel } = await context.client.query<CreateModel>(CREATE_MODEL, {
    input: { name, task: task.toUpperCase(), architecture, ...(classes === undefined ? {} : { classes }) },
  })
  if (createModel.model !== null) return { id: createModel.model.id, name }
  // Somebody evaluated the same files at the same moment.
  const raced = isConflict(createModel.errors) ? await findModel(context, name) : null
  return { id: raced ?? refuse(createModel.errors), name }
}

async function findModel({ client, signal }: ImportContext, name: string): Promise<string | null> {
  return (await client.query<FindModel>(FIND_MODEL, { name }, signal)).model?.id ?? null
}

/** The checkpoint of a model that came from a file with this hash; the newest are looked at first. */
async function findCheckpoint({ client, signal }: ImportContext, name: string, sha256: string): Promise<string | null> {
  for (let after: string | null = null; ;) {
    const { model }: FindModel = await client.query<FindModel>(FIND_MODEL, { name, after }, signal)
    const found = model?.checkpoints.nodes.find(({ fileSha256 }) => fileSha256 === sha256)
    if (found !== undefined) return found.id
    if (model?.checkpoints.pageInfo.hasNextPage !== true) return null
    after = model.checkpoints.pageInfo.endCursor
  }
}

async function provideCheckpoint(context: ImportContext, model: FoundModel, path: string): Promise<string> {
  const { files, sha256 } = await checkpointFiles(path, context.signal)
  const find = (): Promise<string | null> => findCheckpoint(context, model.name, sha256)
  const found = await find()
  if (found !== null) return found
  const uploadIds: string[] = []
  for (const file of files) uploadIds.push(await send(context, file.path, file.sha256))
  const [uploadId, ...shardUploadIds] = uploadIds
  const { createCheckpoint } = await context.client.query<CreateCheckpoint>(CREATE_CHECKPOINT, {
    input: {
      modelId: model.id,
      uploadId,
      name: contentName(path, null, sha256),
      ...(shardUploadIds.length === 0 ? {} : { shardUploadIds }),
    },
  })
  if (createCheckpoint.checkpoint !== null) return createCheckpoint.checkpoint.id
  const raced = isConflict(createCheckpoint.errors) ? await find() : null
  return raced ?? refuse(createCheckpoint.errors)
}

async function provideDataset(context: ImportContext, request: EvaluationRequest): Promise<string> {
  const { datasetPath, labelColumn } = request
  const { labelColumn: _, ...more } = datasetInput(request)
  // Without more options the name is what it was before there were any.
  const also = Object.keys(more).length === 0 ? [] : [JSON.stringify(more)]
  const sha256 = await hashFile(datasetPath, context.signal)
  const name = contentName(datasetPath, null, sha256, labelColumn, ...also)
  const { dataset } = await context.client.query<FindDataset>(FIND_DATASET, { name }, context.signal)
  if (dataset?.fileSha256 === sha256) return dataset.id
  const uploadId = await send(context, datasetPath, sha256)
  const { createDataset } = await context.client.query<CreateDataset>(CREATE_DATASET, {
    input: { name, uploadId, ...datasetInput(request) },
  })
  return createDataset.dataset?.id ?? refuse(createDataset.errors)
}

async function send({ client, reporter, signal }: ImportContext, path: string, sha256: string): Promise<string> {
  const name = basename(path)
  const { uploadId } = await client.upload(
    { path, sha256 },
    (sent, total) => reporter.uploading(name, sent, total),
    signal,
  )
  reporter.importing(name)
  return uploadId
}

const isConflict = (errors: readonly UserError[]): boolean => errors.some(({ code }) => code === 'CONFLICT')

function refuse(errors: readonly UserError[]): never {
  const [first] = errors
  throw new CliFailure(
    first?.code ?? 'INTERNAL',
    errors.map(({ message }) => message).join('\n') || 'the platform refused it',
  )
}
