import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { DetailedError, Upload } from 'tus-js-client'
import { CliFailure, notThePlatform, unreachable } from './failure.ts'

/** Told how many of how many bytes were sent. */
export type UploadProgress = (sent: number, total: number) => void

/** A file to send. */
export interface FileToSend {
  readonly path: string
  /** Lower-case hex; the platform compares it. */
  readonly sha256: string
}

/** A file that the platform took. */
export interface SentUpload {
  readonly uploadId: string
  readonly sha256: string
  readonly bytes: number
}

/**
 * Waits before each attempt, in milliseconds, as long as nothing gets through: five minutes in all, for a network or a platform that comes
 * back. Progress starts the count anew.
 */
const RETRY_DELAYS = [100, 200, 400, 800, 1_600, 3_000, ...Array.from({ length: 59 }, () => 5_000)]

/**
 * Sends a file over tus. Its memory does not grow with the file; a lost connection, or a platform that restarts, is waited for, and the
 * upload goes on where it ended.
 * @param partial an upload of the same file that was begun before, to go on with where that is possible
 * @throws CliFailure with the platform's code.
 */
export async function uploadFile(
  base: string,
  file: FileToSend,
  partial: string | null,
  onProgress: UploadProgress,
  signal: AbortSignal,
): Promise<SentUpload> {
  const { size } = await stat(file.path)
  if (partial !== null) {
    try {
      return await send(base, file, size, partial, onProgress, signal)
    } catch (error) {
      signal.throwIfAborted()
      // Somebody else is sending it at this moment, it is gone, or it began with other bytes: it is sent anew.
      if (!(error instanceof CliFailure) || !ANEW.has(error.code)) throw error
    }
  }
  return await send(base, file, size, null, onProgress, signal)
}

const ANEW: ReadonlySet<string> = new Set(['CONFLICT', 'NOT_FOUND', 'UPLOAD_INCOMPLETE'])

async function send(
  base: string,
  { path, sha256 }: FileToSend,
  size: number,
  partial: string | null,
  onProgress: UploadProgress,
  signal: AbortSignal,
): Promise<SentUpload> {
  const endpoint = `${base}/uploads`
  let begun = partial === null
  let sent = false
  let stop = (): void => undefined
  try {
    const url = await new Promise<string>((resolve, reject) => {
      const upload: Upload = new Upload(createReadStream(path), {
        endpoint: partial === null ? endpoint : null,
        uploadUrl: partial === null ? null : `${endpoint}/${partial}`,
        uploadSize: size,
        metadata: { filename: basename(path), sha256 },
        retryDelays: RETRY_DELAYS,
        storeFingerprintForResuming: false,
        onShouldRetry: (error) => mayRetry(error, begun),
        onAfterResponse: (request, response) => {
          const done = response.getStatus() < 300
          begun ||= done
          sent ||= done && request.getMethod() === 'PATCH'
          // Somebody else has just sent the last of it, and is going to import it.
          if (partial !== null && !sent && Number(response.getHeader('Upload-Offset') ?? -1) === size)
            reject(new CliFailure('CONFLICT', 'the upload was completed by somebody else'))
        },
        onProgress: (bytes) => onProgress(bytes, size),
        onError: reject,
        onSuccess: () => resolve(upload.url ?? ''),
      })
      stop = () => {
        // What was sent is kept by the platform, for the next time.
        void upload.abort()
        reject(signal.reason as Error)
      }
      if (signal.aborted) stop()
      else {
        signal.addEventListener('abort', stop, { once: true })
        upload.start()
      }
    })
    onProgress(size, size)
    return { uploadId: url.split('/').at(-1) ?? '', sha256, bytes: size }
  } catch (error) {
    signal.throwIfAborted()
    throw describe(base, error)
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/** What may go away by itself: no answer, a fault of the platform or a proxy, a request of ours that it has not given up yet. */
function mayRetry(error: DetailedError, begun: boolean): boolean {
  const status = error.originalResponse?.getStatus() ?? 0
  // An upload that another client is sending is not waited for.
  if (status === 423 || status === 409) return begun
  return status === 0 || status >= 500
}

function describe(base: string, error: unknown): unknown {
  if (!(error instanceof DetailedError)) return error
  const response = error.originalResponse
  if (response === null) return unreachable(base, error.causingError ?? error)
  const text = response.getBody()
  try {
    const { errors } = JSON.parse(text) as { errors: readonly { readonly code: string; readonly message: string }[] }
    if (errors[0] !== undefined) return new CliFailure(errors[0].code, errors[0].message)
  } catch {
    // Not JSON: said below. The answer to HEAD has no body.
    if (error.originalRequest.getMethod() === 'HEAD' && response.getStatus() < 500)
      return new CliFailure(response.getStatus() === 404 ? 'NOT_FOUND' : 'CONFLICT', 'the upload cannot be resumed')
  }
  return notThePlatform(base, response.getStatus(), text)
}
