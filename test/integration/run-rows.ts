import { randomUUID } from 'node:crypto'

import type { PrismaClient } from '../../src/store/index.ts'

const HASH = 'ab'.repeat(32)

/** The rows that runs hang on: a model with an architecture, a checkpoint and a dataset. */
export async function createRunParents(prisma: PrismaClient) {
  const architecture = await prisma.architecture.upsert({
    where: { sha256: HASH },
    create: { sha256: HASH, source: 'LAYERS', graph: new Uint8Array([1, 2, 3]), parameterCount: 3 },
    update: {},
  })
  const name = randomUUID()
  const model = await prisma.model.create({
    data: { name, task: 'BINARY', classes: ['no', 'yes'], architectureId: architecture.id },
  })
  const file = { fileName: 'f', fileSha256: HASH, fileBytes: 1 }
  const checkpoint = await prisma.checkpoint.create({
    data: { ...file, modelId: model.id, name, format: 'SAFETENSORS', tree: {}, globals: [] },
  })
  const dataset = await prisma.dataset.create({ data: { ...file, name, version: 1, format: 'npy', rows: 100 } })
  return { modelId: model.id, checkpointId: checkpoint.id, datasetId: dataset.id }
}

/** A queued run with some shards and no event. */
export async function createRun(
  prisma: PrismaClient,
  parents: Awaited<ReturnType<typeof createRunParents>>,
  shards = 1,
): Promise<string> {
  const run = await prisma.run.create({
    data: {
      ...parents,
      ...{ device: 'auto', batchSize: 1, threshold: 0.5, strict: true, total: 100 },
      shards: { create: Array.from({ length: shards }, (_, index) => ({ index, firstRow: index, endRow: index + 1 })) },
    },
  })
  return run.id
}
