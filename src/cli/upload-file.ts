import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { request as httpRequest, type IncomingMessage, type ClientRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { basename } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { CliFailure, notThePlatform, unreachable } from './failure.ts'

/** Told how many of how many bytes were sent. */
export type UploadProgress = (sent: number, total: number) => void

/** What the platform says of a file that it took. */
export interface SentUpload {
  readonly uploadId: string
  readonly sha256: string
  readonly bytes: number
}

/** Bytes that are read at once: large enough that the disk and not the loop is the limit. */
const PIECE = 1 << 20

/**
 * Streams a file to `POST /uploads`. Its memory does not grow with the file, and it sends the length first, so that a
 * file over the limit is refused before it is sent.
 * @throws CliFailure with the platform's code.
 */
export async function uploadFile(
  base: string,
  path: string,
  sha256: string,
  onProgress: UploadProgress,
  signal: AbortSignal,
): Promise<SentUpload> {
  const { size } = await stat(path)
  const url = new URL(`${base}/uploads?filename=${encodeURIComponent(basename(path))}`)
  const outgoing = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream', 'content-length': size, 'x-content-sha256': sha256 },
    signal,
  })
  const answered = answerOf(outgoing)
  // The platform may answer before it has read everything (a limit) and close: its answer says more than our broken pipe.
  const sent = pipeline(createReadStream(path, { highWaterMark: PIECE }), counter(size, onProgress), outgoing)
  const [answer, sending] = await Promise.allSettled([answered, sent])
  signal.throwIfAborted()
  if (answer.status === 'rejected')
    throw unreachable(base, sending.status === 'rejected' ? sending.reason : answer.reason)
  return readAnswer(base, answer.value)
}

interface Answer {
  readonly status: number
  readonly text: string
}

function answerOf(outgoing: ClientRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    outgoing.on('error', reject)
    outgoing.on('response', (response: IncomingMessage) => {
      response.setEncoding('utf8')
      let text = ''
      response.on('data', (piece: string) => (text += piece))
      response.on('error', reject)
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
  })
}

function counter(total: number, onProgress: UploadProgress): Transform {
  let sent = 0
  return new Transform({
    transform(piece: Buffer, _encoding, done) {
      sent += piece.length
      onProgress(sent, total)
      done(null, piece)
    },
  })
}

interface UploadAnswer extends Partial<SentUpload> {
  readonly errors?: readonly { readonly code: string; readonly message: string }[]
}

function readAnswer(base: string, { status, text }: Answer): SentUpload {
  let answer: UploadAnswer | null = null
  try {
    answer = JSON.parse(text) as UploadAnswer
  } catch {
    // Not JSON: said below.
  }
  const [first] = answer?.errors ?? []
  if (first !== undefined) throw new CliFailure(first.code, first.message)
  if (status !== 201 || answer?.uploadId === undefined) throw notThePlatform(base, status, text)
  return answer as SentUpload
}
