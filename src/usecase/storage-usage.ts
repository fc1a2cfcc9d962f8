import type { Platform } from './platform.ts'

/** Bytes of all that is stored. A storage that two checkpoints, datasets, or one of each, refer to is shared. */
export interface StorageUsage {
  /** Sum over all references: what it would take if nothing were shared. */
  readonly logicalBytes: bigint
  /** What is stored. */
  readonly storedBytes: bigint
  /** Of that, what just one checkpoint or dataset uses. */
  readonly uniqueBytes: bigint
  /** Of that, what several use. */
  readonly sharedBytes: bigint
  /** Of that, what nothing refers to: it waits for the sweep. */
  readonly reclaimableBytes: bigint
  readonly storages: bigint
  readonly reclaimableStorages: bigint
  readonly damagedStorages: bigint
}

/** Bytes of one checkpoint, one dataset, or the checkpoints of one model. */
export interface StorageShare {
  /** Sum over its references. */
  readonly logicalBytes: bigint
  /** What nothing else uses: deleting it frees as much. */
  readonly uniqueBytes: bigint
  /** What something else uses too. */
  readonly sharedBytes: bigint
  /** Different storages. */
  readonly storages: bigint
}

const NOTHING: StorageShare = { logicalBytes: 0n, uniqueBytes: 0n, sharedBytes: 0n, storages: 0n }

// Two steps of grouping instead of `count(distinct …)`, which would sort all references.
const PLATFORM = `
  with used as (
    select hash, sum(refs) as refs, count(*) as owners from (
      select "storageHash" as hash, "checkpointId" as owner, count(*) as refs from "CheckpointStorage" group by 1, 2
      union all
      select "storageHash", "datasetId", count(*) from "DatasetColumn" group by 1, 2
    ) owned group by hash
  )
  select coalesce(sum("byteLength" * refs), 0)::bigint as "logicalBytes",
         coalesce(sum("byteLength"), 0)::bigint as "storedBytes",
         coalesce(sum("byteLength") filter (where owners = 1), 0)::bigint as "uniqueBytes",
         coalesce(sum("byteLength") filter (where owners > 1), 0)::bigint as "sharedBytes",
         coalesce(sum("byteLength") filter (where owners is null), 0)::bigint as "reclaimableBytes",
         count(*) as storages,
         count(*) filter (where owners is null) as "reclaimableStorages",
         count("damagedAt") as "damagedStorages"
  from "Storage" left join used on hash = sha256`

/** How much of the database bytes take. It reads every reference once: a second or so for a million of them. */
export async function storageUsage({ store }: Platform): Promise<StorageUsage> {
  const [row] = await store.prisma.$queryRawUnsafe<StorageUsage[]>(PLATFORM)
  return row!
}

/** Who may own storages: how its references are found, and whether somebody else has one. `mine` are (owner, hash, refs). */
const OWNERS = {
  Checkpoint: {
    references: `select "checkpointId" as owner, "storageHash" as hash, count(*) as refs
      from "CheckpointStorage" where "checkpointId" = any($1::uuid[]) group by 1, 2`,
    others: `exists (select from "CheckpointStorage" other where other."storageHash" = mine.hash and other."checkpointId" <> mine.owner)
      or exists (select from "DatasetColumn" other where other."storageHash" = mine.hash)`,
  },
  Dataset: {
    references: `select "datasetId" as owner, "storageHash" as hash, count(*) as refs
      from "DatasetColumn" where "datasetId" = any($1::uuid[]) group by 1, 2`,
    others: `exists (select from "CheckpointStorage" other where other."storageHash" = mine.hash)
      or exists (select from "DatasetColumn" other where other."storageHash" = mine.hash and other."datasetId" <> mine.owner)`,
  },
  Model: {
    references: `select checkpoint."modelId" as owner, used."storageHash" as hash, count(*) as refs
      from "Checkpoint" checkpoint join "CheckpointStorage" used on used."checkpointId" = checkpoint.id
      where checkpoint."modelId" = any($1::uuid[]) group by 1, 2`,
    others: `exists (
        select from "CheckpointStorage" other join "Checkpoint" checkpoint on checkpoint.id = other."checkpointId"
        where other."storageHash" = mine.hash and checkpoint."modelId" <> mine.owner
      ) or exists (select from "DatasetColumn" other where other."storageHash" = mine.hash)`,
  },
} as const

/** What has a share of what is stored. */
export type StorageOwner = keyof typeof OWNERS

/** The statement behind `storageShares`; tests look at its plan. */
export const sharesStatement = (kind: StorageOwner): string => `
  with mine as materialized (${OWNERS[kind].references})
  select mine.owner,
         sum(storage."byteLength" * mine.refs)::bigint as "logicalBytes",
         coalesce(sum(storage."byteLength") filter (where not uses.others), 0)::bigint as "uniqueBytes",
         coalesce(sum(storage."byteLength") filter (where uses.others), 0)::bigint as "sharedBytes",
         count(*) as storages
  from mine
  join "Storage" storage on storage.sha256 = mine.hash
  cross join lateral (select ${OWNERS[kind].others} as others) uses
  group by mine.owner`

/** Shares of several checkpoints, datasets or models, in the order of their ids, in one statement. */
export async function storageShares(
  { store }: Platform,
  kind: StorageOwner,
  ids: readonly string[],
): Promise<readonly StorageShare[]> {
  const rows = await store.prisma.$queryRawUnsafe<(StorageShare & { readonly owner: string })[]>(
    sharesStatement(kind),
    ids,
  )
  const found = new Map(rows.map(({ owner, ...share }) => [owner, share]))
  return ids.map((id) => found.get(id) ?? NOTHING)
}
