import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { CliFailure, notThePlatform, unreachable } from './failure.ts'

/** Told how many of how many bytes are there. */
export type DownloadProgress = (received: number, total: number) => void

/** A file that came. */
export interface ReceivedFile {
  readonly sha256: string
  readonly bytes: number
  /** Bytes that were there from an earlier attempt. */
  readonly resumedAt: number
}

/** Where to get a file, and what it should be. */
export interface DownloadRequest {
  readonly url: string
  readonly path: string
  readonly byteLength: number
  /** The hash that it should have, asked for when all of it is there and the server has not said it. */
  readonly sha256: () => Promise<string>
}

/** Connections in a row that may break without a byte before we give up. */
const ATTEMPTS = 5
const PAUSE_MS = 500

/**
 * Downloads a file next to its place (`PATH.part`), and puts it there when all of it came and has the right hash. What is there of an earlier
 * attempt is not fetched again, as long as it is of the same file (`If-Range`); a connection that breaks is taken up where it broke.
 * @throws CliFailure with the platform's code; UPLOAD_INCOMPLETE when the hash is wrong.
 */
export async function downloadFile(
  request: DownloadRequest,
  onProgress: DownloadProgress,
  signal: AbortSignal,
): Promise<ReceivedFile> {
  const part = `${request.path}.part`
  const tagFile = `${part}.etag`
  let etag = await readFile(tagFile, 'utf8').catch(() => null)
  const resumedAt = etag === null ? 0 : await sizeOf(part)
  let received = resumedAt
  let stated: string | null = null
  for (let failures = 0; received < request.byteLength || etag === null;) {
    const before = received
    try {
      const answer = await ask(request, received, etag, signal)
      if (answer.start === 0) received = 0
      if (answer.etag !== etag) await writeFile(tagFile, (etag = answer.etag))
      stated = answer.sha256
      received = await receive(answer.body, part, answer.start, (now) => {
        received = now
        onProgress(now, request.byteLength)
      })
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof CliFailure && error.code !== 'PLATFORM_UNREACHABLE') throw error
      received = etag === null ? 0 : await sizeOf(part)
      failures = received > before ? 0 : failures + 1
      if (failures >= ATTEMPTS) throw unreachable(request.url, error)
      await sleep(PAUSE_MS * 2 ** failures, undefined, { signal })
    }
  }
  const sha256 = await hashOf(part, signal)
  const expected = stated ?? (await request.sha256())
  if (sha256 !== expected || received !== request.byteLength) {
    await rm(part, { force: true })
    await rm(tagFile, { force: true })
    throw new CliFailure(
      'UPLOAD_INCOMPLETE',
      `${request.path}: ${received} bytes with SHA-256 ${sha256} came, ${request.byteLength} with ${expected} were announced; what came was removed, try again`,
    )
  }
  await rename(part, request.path)
  await rm(tagFile, { force: true })
  return { sha256, bytes: received, resumedAt: Math.min(resumedAt, received) }
}

interface Answer {
  readonly start: number
  readonly etag: string
  readonly sha256: string | null
  readonly body: AsyncIterable<Uint8Array>
}

async function ask({ url }: DownloadRequest, from: number, etag: string | null, signal: AbortSignal): Promise<Answer> {
  const headers = from > 0 && etag !== null ? { range: `bytes=${from}-`, 'if-range': etag } : {}
  let response: Response
  try {
    response = await fetch(url, { headers, signal })
  } catch (error) {
    signal.throwIfAborted()
    throw unreachable(new URL(url).origin, error)
  }
  const tag = response.headers.get('etag')
  if ((response.status !== 200 && response.status !== 206) || tag === null || response.body === null)
    throw refusal(url, response.status, await response.text())
  return {
    start: response.status === 206 ? from : 0,
    etag: tag,
    sha256: response.headers.get('x-content-sha256'),
    body: response.body,
  }
}

function refusal(url: string, status: number, text: string): CliFailure {
  try {
    const { errors } = JSON.parse(text) as { errors?: readonly { readonly code: string; readonly message: string }[] }
    const [first] = errors ?? []
    if (first !== undefined) return new CliFailure(first.code, first.message)
  } catch {
    // Not JSON: said below.
  }
  return notThePlatform(new URL(url).origin, status, text)
}

async function receive(
  body: AsyncIterable<Uint8Array>,
  path: string,
  start: number,
  onReceived: (received: number) => void,
): Promise<number> {
  const file = await open(path, start === 0 ? 'w' : 'r+')
  let at = start
  try {
    for await (const piece of body) {
      for (let done = 0; done < piece.length;)
        done += (await file.write(piece, done, piece.length - done, at + done)).bytesWritten
      at += piece.length
      onReceived(at)
    }
    return at
  } finally {
    await file.close()
  }
}

async function hashOf(path: string, signal: AbortSignal): Promise<string> {
  const hash: Hash = createHash('sha256')
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 20, signal })) hash.update(piece as Buffer)
  return hash.digest('hex')
}

const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  )
