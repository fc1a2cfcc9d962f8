import { AppError } from '../error.ts'
import { isStorableText } from './check-name.ts'
import type { Platform } from './platform.ts'
import { freeSpoolBytes } from './spool.ts'

/** @throws AppError BAD_INPUT, LIMIT_EXCEEDED. */
export function checkLength(platform: Platform, fileName: string, length: number): void {
  if (!Number.isSafeInteger(length) || length < 0)
    throw new AppError('BAD_INPUT', `${fileName}: ${length} is no length in bytes`)
  if (length > platform.limits.uploadBytes) throw tooLarge(platform, fileName, `${length}`)
}

/**
 * @param outstanding bytes that were promised to other uploads and are not on the disk yet
 * @throws AppError LIMIT_EXCEEDED when the spool has too little room.
 */
export async function checkFree(
  { spoolDir, limits }: Platform,
  fileName: string,
  neededBytes: number,
  outstanding: number,
): Promise<void> {
  const free = await freeSpoolBytes(spoolDir)
  const promised = outstanding === 0 ? '' : `, of which ${outstanding} are promised to uploads that are being received`
  if (free < neededBytes + outstanding + limits.spoolReserveBytes)
    throw new AppError(
      'LIMIT_EXCEEDED',
      `${fileName}: the spool folder has ${free} bytes free${promised}; ${neededBytes} bytes and a reserve of ` +
        `${limits.spoolReserveBytes} are needed; free some space or set another folder`,
    )
}

/** The refusal of a file that has more bytes than are taken. */
export const tooLarge = ({ limits }: Platform, fileName: string, found: string) =>
  new AppError('LIMIT_EXCEEDED', `${fileName}: the file has ${found} bytes; at most ${limits.uploadBytes} are taken`)

/** The last part of what the client calls the file: a path of the client's machine is of no use here. */
export function checkFileName(name: string): string {
  const last = name.split(/[/\\]/).at(-1)!.trim()
  if (last === '' || last === '.' || last === '..')
    throw new AppError(
      'BAD_INPUT',
      `the file name ${JSON.stringify(name)} is empty; name the file: PUT /uploads/NAME, or filename in the tus metadata`,
    )
  if (last.length > 255 || !isStorableText(last) || /\p{Cc}/u.test(last))
    throw new AppError('BAD_INPUT', 'the file name has more than 255 characters, or control characters')
  return last
}

/** @throws AppError BAD_INPUT. */
export function checkSha256(sha256: string | undefined): string | null {
  if (sha256 === undefined) return null
  if (!/^[0-9a-f]{64}$/i.test(sha256))
    throw new AppError('BAD_INPUT', `the announced SHA-256 ${JSON.stringify(sha256)} is not 64 hexadecimal digits`)
  return sha256.toLowerCase()
}
