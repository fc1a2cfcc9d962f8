import { AppError } from '../error.ts'
import type { Transaction, UploadRow } from '../store/index.ts'
import { checkFree } from './check-upload.ts'
import type { Platform } from './platform.ts'
import { spoolIdentity, type SpoolIdentity } from './spool-identity.ts'
import { sweepUploads } from './sweep-uploads.ts'

/** An upload that is about to be received. */
export interface NewUpload {
  readonly id: string
  readonly fileName: string
  readonly length: number | null
  readonly announcedSha256: string | null
  readonly resumable: boolean
  readonly expiresAt: Date
  /** Bytes of the quota that it takes for now. */
  readonly reserved: number
}

/**
 * Writes the row of an upload, which takes its part of the quota.
 * @throws AppError LIMIT_EXCEEDED when quota or disk have no room for it.
 */
export async function reserveSpool(platform: Platform, upload: NewUpload): Promise<UploadRow> {
  const spool = await spoolIdentity(platform.spoolDir)
  const { length, reserved } = upload
  const data = {
    ...upload,
    length: length === null ? null : BigInt(length),
    reserved: BigInt(reserved),
    spoolId: spool.id,
    hostname: spool.hostname,
  }
  const create = (): Promise<UploadRow> =>
    platform.store.prisma.$transaction(async (tx) => {
      const use = await lockUse(tx, spool)
      checkQuota(platform, upload.fileName, use, reserved)
      if (use.uploads >= platform.limits.spoolUploads)
        throw new AppError(
          'LIMIT_EXCEEDED',
          `${upload.fileName}: ${use.uploads} uploads wait already, which is the limit; import or delete some (deleteUpload)`,
        )
      await checkFree(platform, upload.fileName, reserved, use.outstanding)
      return await tx.upload.create({ data })
    })
  try {
    return await create()
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    // What has expired may have made way by now.
    if ((await sweepUploads(platform)).expired === 0) throw error
    return await create()
  }
}

/**
 * Takes more of the quota for an upload that did not say how long it is.
 * @throws AppError LIMIT_EXCEEDED.
 */
export async function growReservation(
  platform: Platform,
  { id, fileName }: Pick<UploadRow, 'id' | 'fileName'>,
  received: number,
  reserved: number,
): Promise<void> {
  const spool = await spoolIdentity(platform.spoolDir)
  await platform.store.prisma.$transaction(async (tx) => {
    const use = await lockUse(tx, spool, id)
    checkQuota(platform, fileName, use, reserved)
    await checkFree(platform, fileName, reserved - received, use.outstanding)
    await tx.upload.updateMany({ where: { id }, data: { reserved: BigInt(reserved) } })
  })
}

interface SpoolUse {
  readonly uploads: number
  readonly reserved: number
  /** Bytes that were announced and are not on the disk yet. */
  readonly outstanding: number
}

/** What the other uploads of a spool take. Until the transaction ends, nobody else takes any. */
async function lockUse(tx: Transaction, spool: SpoolIdentity, except: string | null = null): Promise<SpoolUse> {
  await tx.$executeRaw`select pg_advisory_xact_lock(hashtextextended(${`nograd spool ${spool.id}`}, 0))`
  const [use] = await tx.$queryRaw<{ uploads: bigint; reserved: bigint; outstanding: bigint }[]>`
    select count(*) as uploads, coalesce(sum(reserved), 0)::bigint as reserved,
           coalesce(sum(greatest(reserved - bytes, 0)) filter (where status = 'RECEIVING'), 0)::bigint as outstanding
    from "Upload" where "spoolId" = ${spool.id}::uuid and id is distinct from ${except}::uuid`
  return {
    uploads: Number(use?.uploads ?? 0),
    reserved: Number(use?.reserved ?? 0),
    outstanding: Number(use?.outstanding ?? 0),
  }
}

function checkQuota({ limits }: Platform, fileName: string, use: SpoolUse, needed: number): void {
  if (use.reserved + needed <= limits.spoolBytes) return
  throw new AppError(
    'LIMIT_EXCEEDED',
    `${fileName}: ${needed} bytes are needed, and the uploads that wait take ${use.reserved} of the ${limits.spoolBytes} that all of them ` +
      'may take (NOGRAD_SPOOL_BYTES); import or delete some (deleteUpload), or wait until they expire',
  )
}
