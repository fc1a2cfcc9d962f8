import { request, type ClientRequest, type IncomingHttpHeaders } from 'node:http'
import { Upload, type UploadOptions } from 'tus-js-client'
import { send, type RawAnswer } from './client.ts'

const base64 = (text: string): string => Buffer.from(text).toString('base64')

/** A tus request by hand, for what the client would not do. */
export function tus(
  method: string,
  url: string,
  headers: Record<string, string> = {},
  body?: Buffer,
): Promise<RawAnswer> {
  return send(url, {
    method,
    headers: { 'tus-resumable': '1.0.0', ...headers },
    ...(body === undefined ? {} : { body }),
  })
}

/** What announces a file. */
export const creation = (length: number, fileName: string, sha256?: string): Record<string, string> => ({
  'upload-length': String(length),
  'upload-metadata': `filename ${base64(fileName)}${sha256 === undefined ? '' : `,sha256 ${base64(sha256)}`}`,
})

/** Makes an upload; its address. */
export async function createTus(url: string, length: number, fileName = 'a.pth', sha256?: string): Promise<string> {
  const { status, headers, text } = await tus('POST', `${url}/uploads`, creation(length, fileName, sha256))
  if (status !== 201) throw new Error(`${status} ${text}`)
  return url + headers.location!
}

/** Sends bytes of an upload. */
export const patch = (address: string, offset: number, body: Buffer): Promise<RawAnswer> =>
  tus('PATCH', address, { 'upload-offset': String(offset), ...PIECE }, body)

export const PIECE = { 'content-type': 'application/offset+octet-stream' }

/** Begins a PATCH and leaves it open. */
export function openPatch(address: string, offset: number, length: number): ClientRequest {
  const out = request(address, {
    method: 'PATCH',
    agent: false,
    headers: { 'tus-resumable': '1.0.0', 'upload-offset': offset, 'content-length': length, ...PIECE },
  })
  out.on('error', () => undefined)
  out.flushHeaders()
  return out
}

export const offsetOf = (headers: IncomingHttpHeaders): number => Number(headers['upload-offset'])

/** Sends bytes with the reference client; the address of the upload. */
export function sendTus(url: string, bytes: Buffer, options: Partial<UploadOptions> = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const upload: Upload = new Upload(bytes, {
      endpoint: `${url}/uploads`,
      metadata: { filename: 'weights.pth' },
      onSuccess: () => resolve(upload.url!),
      onError: reject,
      ...options,
    })
    upload.start()
  })
}
