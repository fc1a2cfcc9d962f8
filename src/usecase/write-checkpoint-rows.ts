import type { Checkpoint, StateDict } from '../checkpoint/index.ts'
import type { Transaction } from '../store/index.ts'
import { inChunks } from './in-chunks.ts'

/** Rows of one statement. */
const ROWS = 10_000

/**
 * Writes the storages, tensors and state_dict entries of a checkpoint. As JSON, a statement for each table: a parameter for each value, as
 * Prisma's `createMany` has it, takes a quarter of a millisecond a row, and a checkpoint may have half a million tensors.
 * @param hashes SHA-256 of each storage; all of them are stored.
 */
export async function writeCheckpointRows(
  tx: Transaction,
  checkpointId: string,
  { storages, tensors }: Checkpoint,
  stateDict: StateDict,
  hashes: readonly string[],
): Promise<void> {
  await inChunks(storages, ROWS, (chunk, first) => {
    const rows = chunk.map(({ key, dtype, location }, i) => ({
      ...{ index: first + i, key, dtype, location },
      storageHash: hashes[first + i]!,
    }))
    return tx.$executeRaw`
      insert into "CheckpointStorage" ("checkpointId", index, key, dtype, location, "storageHash")
      select ${checkpointId}::uuid, storage.* from json_to_recordset(${JSON.stringify(rows)}::json)
        as storage (index integer, key text, dtype text, location text, "storageHash" text)`
  })
  await inChunks(tensors, ROWS, (chunk, first) => {
    const rows = chunk.map((tensor, i) => ({
      ...{ index: first + i, storageIndex: tensor.storage, dtype: tensor.dtype, shape: tensor.shape },
      ...{ stride: tensor.stride, storageOffset: tensor.storageOffset },
      ...{ requiresGrad: tensor.requiresGrad, isParameter: tensor.isParameter },
    }))
    return tx.$executeRaw`
      insert into "Tensor"
        ("checkpointId", index, "storageIndex", dtype, shape, stride, "storageOffset", "requiresGrad", "isParameter")
      select ${checkpointId}::uuid, tensor.* from json_to_recordset(${JSON.stringify(rows)}::json)
        as tensor (index integer, "storageIndex" integer, dtype text, shape bigint[], stride bigint[],
          "storageOffset" bigint, "requiresGrad" boolean, "isParameter" boolean)`
  })
  await inChunks([...stateDict.tensors], ROWS, (chunk, first) => {
    const rows = chunk.map(([key, tensorIndex], i) => ({ position: first + i, key, tensorIndex }))
    return tx.$executeRaw`
      insert into "StateDictEntry" ("checkpointId", position, key, "tensorIndex")
      select ${checkpointId}::uuid, entry.* from json_to_recordset(${JSON.stringify(rows)}::json)
        as entry (position integer, key text, "tensorIndex" integer)`
  })
}
