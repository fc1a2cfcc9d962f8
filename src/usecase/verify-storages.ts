import { AppError } from '../error.ts'
import type { Integrity } from '../store/index.ts'
import type { Platform } from './platform.ts'

/** Whose bytes to verify: those of a checkpoint, of a dataset, or all. */
export type VerifyScope =
  { readonly kind: 'Checkpoint' | 'Dataset'; readonly id: string } | { readonly kind: 'everything' }

/** What to verify. */
export interface VerifyInput {
  readonly scope: VerifyScope
  /** SHA-256 of the storage behind which to go on: `next` of the report before. */
  readonly after?: string | null | undefined
  /** Ends the work early; what was verified so far is lost. */
  readonly signal?: AbortSignal | undefined
}

/** A storage that was verified. */
export interface StorageVerdict extends Integrity {
  readonly sha256: string
}

/** A part of a verification, and how far it is. */
export interface VerifyReport {
  /** Those of this part, in order of their SHA-256. */
  readonly verdicts: readonly StorageVerdict[]
  /** Of the whole scope. */
  readonly totalStorages: bigint
  readonly totalBytes: bigint
  /** Where the next part begins; null when this was the last. */
  readonly next: string | null
}

/** Milliseconds after which a part ends: with the storage that it is at. */
const PART_MS = 5_000
/** Storages of a part at most. */
const PART_STORAGES = 1000

const HASHES = {
  Checkpoint: `select distinct "storageHash" as hash from "CheckpointStorage" where "checkpointId" = $1::uuid`,
  Dataset: `select distinct "storageHash" as hash from "DatasetColumn" where "datasetId" = $1::uuid`,
  // The parameter is not used, and has to be there.
  everything: `select sha256 as hash from "Storage" where $1::uuid is null`,
} as const

/**
 * Reads storages and compares their hashes, each once however many tensors are views of it, for some seconds; the caller asks again for
 * the next part. So nothing of it has to be kept anywhere, a client knows how far it is, and no request lasts much longer than the
 * largest storage takes. Memory is that of some chunks; damage is noted on the storage, so that importing the bytes again replaces them.
 * @throws AppError NOT_FOUND, BAD_INPUT.
 */
export async function verifyStorages(platform: Platform, { scope, after, signal }: VerifyInput): Promise<VerifyReport> {
  const { prisma, bytes } = platform.store
  if (after != null && !/^[0-9a-f]{64}$/.test(after))
    throw new AppError('BAD_INPUT', '`after` is no SHA-256; give the `next` of the report before')
  await checkScope(platform, scope)
  const id = scope.kind === 'everything' ? null : scope.id
  const [total] = await prisma.$queryRawUnsafe<{ storages: bigint; bytes: bigint }[]>(
    `select count(*) as storages, coalesce(sum("byteLength"), 0)::bigint as bytes
     from (${HASHES[scope.kind]}) wanted join "Storage" on sha256 = hash`,
    id,
  )
  const wanted = await prisma.$queryRawUnsafe<{ hash: string }[]>(
    `select hash from (${HASHES[scope.kind]}) wanted where hash > $2 order by hash limit ${PART_STORAGES + 1}`,
    id,
    after ?? '',
  )
  const verdicts: StorageVerdict[] = []
  const begun = performance.now()
  let seen = 0
  for (const { hash } of wanted.slice(0, PART_STORAGES)) {
    if (seen > 0 && performance.now() - begun > PART_MS) break
    seen++
    const verdict = await bytes.verify(hash, signal).catch((error: unknown) => {
      // Swept since it was listed: nothing refers to it any more.
      if (error instanceof AppError && error.code === 'NOT_FOUND') return null
      throw error
    })
    if (verdict !== null) verdicts.push({ sha256: hash, ...verdict })
  }
  const next = seen < wanted.length ? wanted[seen - 1]!.hash : null
  for (const { sha256, status, problem } of verdicts)
    if (status !== 'OK') platform.log.error({ sha256, status, problem }, 'a storage is damaged')
  return { verdicts, totalStorages: total!.storages, totalBytes: total!.bytes, next }
}

async function checkScope({ store: { prisma } }: Platform, scope: VerifyScope): Promise<void> {
  if (scope.kind === 'everything') return
  const where = { id: scope.id }
  const found = await (scope.kind === 'Checkpoint'
    ? prisma.checkpoint.count({ where })
    : prisma.dataset.count({ where }))
  if (found === 0) throw new AppError('NOT_FOUND', `there is no ${scope.kind.toLowerCase()} with this id`)
}

/** A checkpoint or dataset that refers to a storage. */
export interface StorageUser {
  readonly kind: 'Checkpoint' | 'Dataset'
  readonly id: string
}

/** Users of each storage, the newest first. */
const USERS = `
  select wanted.hash, used.kind, used.id
  from unnest($1::text[]) as wanted(hash)
  cross join lateral (
    (select distinct 'Checkpoint' as kind, "checkpointId" as id from "CheckpointStorage" where "storageHash" = wanted.hash
     order by 2 desc limit $2)
    union all
    (select distinct 'Dataset', "datasetId" from "DatasetColumn" where "storageHash" = wanted.hash order by 2 desc limit $2)
  ) used`

/** What refers to storages: for each of the hashes, at most `limit` checkpoints and as many datasets. */
export async function storageUsers(
  { store }: Platform,
  sha256s: readonly string[],
  limit: number,
): Promise<readonly (readonly StorageUser[])[]> {
  const rows = await store.prisma.$queryRawUnsafe<(StorageUser & { readonly hash: string })[]>(USERS, sha256s, limit)
  return sha256s.map((sha256) => rows.filter(({ hash }) => hash === sha256).map(({ kind, id }) => ({ kind, id })))
}
