import { AppError } from '../error.ts'
import type { UploadRow } from '../store/index.ts'
import type { Platform } from './platform.ts'
import { spoolIdentity } from './spool-identity.ts'

/** The bytes of an upload lie in the spool of another server. */
export class SpooledElsewhere extends AppError {
  constructor({ fileName, hostname }: UploadRow) {
    super(
      'CONFLICT',
      `${fileName}: the server ${hostname} has the bytes of this upload, and this is another one of the same platform; ` +
        'send the request there, or send the file again to this one',
    )
  }
}

/** @throws AppError CONFLICT when the bytes of an upload lie in another server's spool. */
export async function requireLocal(platform: Platform, row: UploadRow): Promise<void> {
  // A row of an older version does not say where.
  if (row.spoolId === null) return
  if (row.spoolId !== (await spoolIdentity(platform.spoolDir)).id) throw new SpooledElsewhere(row)
}
