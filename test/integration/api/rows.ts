import { createHash, randomUUID } from 'node:crypto'
import type { PrismaClient } from '../../../src/store/index.ts'

/** Writes rows as the use cases would have, for what only reads. */
export function rowWriter(prisma: PrismaClient) {
  let count = 0
  const unique = (what: string) => `${what} ${++count}`

  async function architecture(graph: Uint8Array = Buffer.from(unique('graph'))) {
    return await prisma.architecture.create({
      data: {
        sha256: createHash('sha256').update(graph).digest('hex'),
        source: 'LAYERS',
        graph: new Uint8Array(graph),
        layers: { layers: [{ type: 'Linear', in_features: 4, out_features: 2 }], input: [4] },
        parameterCount: 10n,
      },
    })
  }

  async function model(architectureId?: string) {
    return await prisma.model.create({
      data: {
        name: unique('model'),
        task: 'MULTICLASS',
        classes: ['no', 'yes'],
        architectureId: architectureId ?? (await architecture()).id,
      },
    })
  }

  /** A checkpoint with the keys `weight` [2, 4] and `bias` [2]. */
  async function checkpoint(modelId: string) {
    const storageHash = createHash('sha256').update(unique('storage')).digest('hex')
    await prisma.storage.create({ data: { sha256: storageHash, byteLength: 40n, contentId: randomUUID() } })
    return await prisma.checkpoint.create({
      data: {
        modelId,
        name: unique('checkpoint'),
        format: 'TORCH_ZIP',
        fileName: 'weights.pth',
        fileSha256: 'ab'.repeat(32),
        fileBytes: 1000n,
        tree: {
          root: 0,
          nodes: [
            {
              kind: 'dict',
              entries: [
                [1, 2],
                [3, 4],
              ],
            },
            { kind: 'string', value: 'weight' },
            { kind: 'tensor', tensor: 0 },
            { kind: 'string', value: 'bias' },
            { kind: 'tensor', tensor: 1 },
          ],
        },
        globals: [{ module: 'torch._utils', name: '_rebuild_tensor_v2', offset: 12 }],
        warnings: [],
        stateDictPath: [],
        storages: { create: [{ index: 0, key: '0', dtype: 'float32', location: 'cuda:0', storageHash }] },
        tensors: {
          create: [
            {
              index: 0,
              storageIndex: 0,
              dtype: 'float32',
              shape: [2n, 4n],
              stride: [4n, 1n],
              storageOffset: 0n,
              requiresGrad: true,
              isParameter: true,
            },
            {
              index: 1,
              storageIndex: 0,
              dtype: 'float32',
              shape: [2n],
              stride: [1n],
              storageOffset: 8n,
              requiresGrad: true,
              isParameter: true,
            },
          ],
        },
        entries: {
          create: [
            { position: 0, key: 'weight', tensorIndex: 0 },
            { position: 1, key: 'bias', tensorIndex: 1 },
          ],
        },
      },
    })
  }

  async function dataset(name = unique('dataset'), version = 1) {
    const storageHash = createHash('sha256').update(unique('column')).digest('hex')
    await prisma.storage.create({ data: { sha256: storageHash, byteLength: 80n, contentId: randomUUID() } })
    return await prisma.dataset.create({
      data: {
        name,
        version,
        format: 'npz',
        fileName: 'test.npz',
        fileSha256: 'cd'.repeat(32),
        fileBytes: 2000n,
        rows: 5n,
        columns: {
          create: [
            {
              index: 0,
              name: 'x',
              role: 'FEATURE',
              dtype: 'float32',
              shape: [4],
              storageHash,
              min: -1,
              max: 1,
              integral: false,
            },
            {
              index: 1,
              name: 'y',
              role: 'LABEL',
              dtype: 'int64',
              shape: [],
              storageHash,
              min: 0,
              max: 1,
              integral: true,
            },
          ],
        },
      },
    })
  }

  async function run(
    { id: checkpointId, modelId }: { readonly id: string; readonly modelId: string },
    datasetId: string,
    more: { readonly status?: 'QUEUED' | 'RUNNING' | 'SUCCEEDED' | 'FAILED'; readonly metrics?: number } = {},
  ) {
    return await prisma.run.create({
      data: {
        modelId,
        checkpointId,
        datasetId,
        status: more.status ?? 'QUEUED',
        finishedAt: more.status === 'SUCCEEDED' || more.status === 'FAILED' ? new Date() : null,
        device: 'auto',
        batchSize: 64,
        threshold: 0.5,
        strict: true,
        total: 5n,
        metrics: {
          create: Array.from({ length: more.metrics ?? 0 }, (_value, position) => ({
            position,
            name: position === 0 ? 'accuracy' : 'f1',
            average: position === 0 ? null : 'macro',
            value: 0.5,
          })),
        },
      },
    })
  }

  return { architecture, model, checkpoint, dataset, run }
}
