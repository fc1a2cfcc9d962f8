import { bindCheckpoint, liveWorkers, previewUpload, storageUsage } from '../../usecase/index.ts'
import type { Context } from '../context.ts'
import type { QueryResolvers } from '../generated/resolvers.ts'
import { InputError } from '../input-error.ts'
import { CHECKPOINT_OMIT } from '../loader/index.ts'
import { decodeId } from '../object-id.ts'
import { connection, pageRequest } from '../page.ts'
import { compareCheckpointsResolver } from './comparison.ts'
import { compareRunsResolver } from './compare-runs.ts'
import { compareEnginesResolver } from './compare-engines.ts'
import { imageOptions, keyMapping } from './input.ts'
import { loadNode } from './node.ts'
import { notFound } from './not-found.ts'
import { nameContains } from './name-contains.ts'
import { readPage } from './read-page.ts'
import { runsResolver } from './runs.ts'
import { distinctDevices } from './worker.ts'

/** What can be asked. A lookup by id that finds nothing is an error; a lookup by name is a question, and null its answer. */
export const queryResolvers: QueryResolvers = {
  previewUpload: (_root, { input }, { platform }) =>
    previewUpload(platform, {
      ...input,
      uploadId: decodeId('Upload', input.uploadId, ['input', 'uploadId']),
      images: imageOptions(input.images),
    }),
  compareRuns: compareRunsResolver,
  node: (_root, { id }, context) => loadNode(id, context),
  model: async (_root, { id, name }, { loaders, platform }) => {
    if (oneOf({ id, name }) === 'id')
      return found('Model', id!, await loaders.model.load(decodeId('Model', id!, ['id'])))
    return platform.store.prisma.model.findUnique({ where: { name: name! } })
  },
  models: async (_root, { nameContains: text, ...page }, { platform: { store } }) =>
    connection(
      'Model',
      await readPage(pageRequest('Model', page), ({ where, ...range }) =>
        store.prisma.model.findMany({ ...range, where: { ...nameContains(text), ...where } }),
      ),
    ),
  checkpoint: async (_root, { id }, { loaders }) =>
    found('Checkpoint', id, await loaders.checkpoint.load(decodeId('Checkpoint', id, ['id']))),
  checkpoints: async (_root, { modelId, nameContains: text, ...page }, { platform: { store } }) => {
    const ofModel = modelId == null ? {} : { modelId: decodeId('Model', modelId, ['modelId']) }
    const filter = { ...ofModel, ...nameContains(text) }
    return connection(
      'Checkpoint',
      await readPage(pageRequest('Checkpoint', page), ({ where, ...range }) =>
        store.prisma.checkpoint.findMany({ ...range, where: { ...filter, ...where }, omit: CHECKPOINT_OMIT }),
      ),
    )
  },
  dataset: async (_root, { id, name }, { loaders, platform }) => {
    if (oneOf({ id, name }) === 'id')
      return found('Dataset', id!, await loaders.dataset.load(decodeId('Dataset', id!, ['id'])))
    return platform.store.prisma.dataset.findFirst({ where: { name: name! }, orderBy: { version: 'desc' } })
  },
  datasets: async (_root, { nameContains: text, ...page }, { platform: { store } }) =>
    connection(
      'Dataset',
      await readPage(pageRequest('Dataset', page), ({ where, ...range }) =>
        store.prisma.dataset.findMany({ ...range, where: { ...nameContains(text), ...where } }),
      ),
    ),
  run: async (_root, { id }, { loaders }) => found('Run', id, await loaders.run.load(decodeId('Run', id, ['id']))),
  runs: runsResolver,
  upload: async (_root, { id }, { loaders }) =>
    found('Upload', id, await loaders.upload.load(decodeId('Upload', id, ['id']))),
  uploads: async (_root, { sha256, ...page }, { platform: { store } }) => {
    const filter = sha256 == null ? {} : { OR: [{ announcedSha256: sha256 }, { sha256 }] }
    return connection(
      'Upload',
      await readPage(pageRequest('Upload', page), ({ where, ...range }) =>
        store.prisma.upload.findMany({ ...range, where: { ...filter, ...where } }),
      ),
    )
  },
  bindCheckpoint: (_root, { checkpointId, strict, keyMapping: mapping }, { platform }) =>
    bindCheckpoint(platform, {
      checkpointId: decodeId('Checkpoint', checkpointId, ['checkpointId']),
      strict,
      keyMapping: keyMapping(mapping),
    }),
  storageUsage: (_root, _arguments, { platform }) => storageUsage(platform),
  compareCheckpoints: compareCheckpointsResolver,
  compareEngines: compareEnginesResolver,
  workers: (_root, _arguments, { platform }) => liveWorkers(platform),
  devices: async (_root, _arguments, { platform }: Context) => distinctDevices(await liveWorkers(platform)),
}

/** Which of two ways to find something was used. */
function oneOf({ id, name }: { readonly id?: string | null | undefined; readonly name?: string | null | undefined }) {
  if ((id == null) === (name == null)) throw new InputError('BAD_INPUT', 'give either `id` or `name`', ['id'])
  return id == null ? 'name' : 'id'
}

function found<Row>(kind: 'Model' | 'Checkpoint' | 'Dataset' | 'Run' | 'Upload', id: string, row: Row | null): Row {
  if (row === null) throw notFound(kind, id)
  return row
}
