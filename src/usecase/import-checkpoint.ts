import {
  compactStorages,
  findStateDicts,
  readCheckpoint,
  readCheckpointShards,
  shardedSha256,
  type Checkpoint,
  type StateDict,
} from '../checkpoint/index.ts'
import { PIECE_BYTES } from '../container/index.ts'
import { AppError } from '../error.ts'
import type { CheckpointRow, Content, Prisma, Transaction } from '../store/index.ts'
import { architectureGraph } from './architecture-graph.ts'
import { checkName, isStorableText } from './check-name.ts'
import { chooseStateDict } from './choose-state-dict.ts'
import { isForeignKeyViolation, isUniqueViolation } from './database-error.ts'
import { nameStorages } from './name-storages.ts'
import { consumeUpload, openUpload, type OpenUpload } from './open-upload.ts'
import { openShards } from './open-shards.ts'
import type { Platform } from './platform.ts'
import { queueStatistics } from './queue-inspection.ts'
import { writeCheckpointRows } from './write-checkpoint-rows.ts'

/** An upload to import as a checkpoint. */
export interface ImportCheckpointInput {
  /** The model whose architecture it belongs to. */
  readonly modelId: string
  readonly uploadId: string
  /** The shards that the upload, an index, names. */
  readonly shardUploadIds?: readonly string[] | null | undefined
  /** Unique in the model; by default the file's name. */
  readonly name?: string | null | undefined
  /** Where in the file the state_dict is; by default where it is found. */
  readonly stateDictPath?: readonly string[] | null | undefined
}

/**
 * Reads a checkpoint file without executing anything in it: every storage is streamed to the store, then one transaction writes the
 * value tree and the tensors. When it fails nothing is stored and the upload stays, to be tried again with other options.
 * @throws AppError BAD_INPUT, NOT_FOUND, CONFLICT, CHECKPOINT_*, LIMIT_EXCEEDED.
 */
export async function importCheckpoint(platform: Platform, input: ImportCheckpointInput): Promise<CheckpointRow> {
  const { store, limits } = platform
  const model = await store.prisma.model.findUnique({ where: { id: input.modelId }, include: { architecture: true } })
  if (model === null) throw new AppError('NOT_FOUND', 'there is no model with this id')
  await using upload = await openUpload(platform, input.uploadId)
  const name = checkName('the name of the checkpoint', input.name ?? upload.row.fileName, limits.nameLength)
  const taken = () =>
    new AppError(
      'CONFLICT',
      `model ${model.name} has a checkpoint named ${JSON.stringify(name)} already; choose another name`,
    )
  if ((await store.prisma.checkpoint.count({ where: { modelId: model.id, name } })) > 0) throw taken()

  const shardIds = input.shardUploadIds ?? []
  await using shards = await openShards(platform, shardIds)
  const sources = shards.uploads.map(({ source }) => source)
  await using whole =
    sources.length === 0
      ? await readCheckpoint(upload.source, limits.checkpoint)
      : await readCheckpointShards(upload.source, sources, limits.checkpoint)
  const file = compactStorages(whole)
  const graph = architectureGraph(model.architecture)
  const stateDict = chooseStateDict(
    findStateDicts(file),
    graph.parameters.flatMap(({ keys }) => keys),
    input.stateDictPath ?? null,
    upload.row.fileName,
  )
  checkText(file, stateDict)
  const contentOf = (index: number): Content => contentOfStorage(file, index, upload.path)
  const order = fromBothEnds(file.storages.length)
  const stored = await store.bytes.putAll(order.map(contentOf))
  const hashes = Array.from(order, () => '')
  stored.forEach(({ sha256 }, i) => (hashes[order[i]!] = sha256))

  let row: CheckpointRow
  try {
    row = await nameStorages(store, {
      hashes,
      putAgain: async (gone) => {
        await store.bytes.putAll(
          file.storages.flatMap((_, index) => (gone.has(hashes[index]!) ? [contentOf(index)] : [])),
        )
      },
      write: (tx) =>
        writeRows(tx, platform, { modelId: model.id, name, upload, shards: shards.uploads, file, stateDict, hashes }),
    })
  } catch (error) {
    if (isForeignKeyViolation(error))
      throw new AppError('NOT_FOUND', `model ${model.name} was deleted while the checkpoint was imported`, {
        cause: error,
      })
    throw isUniqueViolation(error) ? taken() : error
  }
  for (const id of [input.uploadId, ...shardIds]) await consumeUpload(platform, id)
  return row
}

/** 0, n - 1, 1, n - 2 …: what a fine-tune changed lies at an end more often than not, and is sent while the rest is hashed. */
const fromBothEnds = (count: number): readonly number[] =>
  Array.from({ length: count }, (_, i) => (i % 2 === 0 ? i / 2 : count - (i + 1) / 2))

/** A storage of a file in the spool. Its pieces share one buffer: fresh memory for each would take longer than hashing it. */
function contentOfStorage(file: Checkpoint, index: number, path: string): Content {
  const { byteLength } = file.storages[index]!
  const range = file.storageRange?.(index) ?? null
  return {
    repeatable: true,
    read: () => file.readStorage(index, 0, byteLength, new Uint8Array(Math.min(byteLength, PIECE_BYTES))),
    file: range === null ? undefined : { path, offset: range.start, length: range.end - range.start },
  }
}

interface Imported {
  readonly modelId: string
  readonly name: string
  readonly upload: OpenUpload
  /** Of a sharded checkpoint. */
  readonly shards: readonly OpenUpload[]
  readonly file: Checkpoint
  readonly stateDict: StateDict
  /** SHA-256 of each storage. */
  readonly hashes: readonly string[]
}

async function writeRows(tx: Transaction, platform: Platform, imported: Imported): Promise<CheckpointRow> {
  const { modelId, name, upload, shards, file, stateDict, hashes } = imported
  const hashed = ({ row: { fileName }, sha256 }: OpenUpload) => ({ name: fileName, sha256 })
  const row = await tx.checkpoint.create({
    data: {
      modelId,
      name,
      format: FORMATS[file.format],
      fileName: upload.row.fileName,
      fileSha256: shards.length === 0 ? upload.sha256 : shardedSha256(hashed(upload), shards.map(hashed)),
      fileBytes: [upload, ...shards].reduce((sum, { row: { bytes } }) => sum + bytes, 0n),
      // Plain JSON by their contracts; Prisma's type wants index signatures.
      tree: file.tree as unknown as Prisma.InputJsonValue,
      globals: file.globals as unknown as Prisma.InputJsonValue,
      warnings: [...file.warnings],
      stateDictPath: [...stateDict.path],
      createdAt: platform.clock(),
    },
  })
  const checkpointId = row.id
  await writeCheckpointRows(tx, checkpointId, file, stateDict, hashes)
  await queueStatistics(platform, tx, checkpointId)
  return row
}

const FORMATS = {
  'torch-zip': 'TORCH_ZIP',
  'torch-legacy': 'TORCH_LEGACY',
  'torch-sharded': 'TORCH_SHARDED',
  safetensors: 'SAFETENSORS',
  'safetensors-sharded': 'SAFETENSORS_SHARDED',
} as const

/** PostgreSQL keeps no NUL and no half of a surrogate pair in text. The tree is JSON and keeps everything. */
function checkText(file: Checkpoint, stateDict: StateDict): void {
  const refuse = (what: string, text: string): never => {
    throw new AppError(
      'CHECKPOINT_UNSUPPORTED',
      `the ${what} ${JSON.stringify(text)} has a NUL or half a surrogate pair in it; rename it before saving`,
    )
  }
  for (const key of stateDict.tensors.keys()) if (!isStorableText(key)) refuse('state_dict key', key)
  for (const { key, location } of file.storages) {
    if (!isStorableText(key)) refuse('storage name', key)
    if (!isStorableText(location)) refuse('location tag', location)
  }
}
