import { Upload } from 'tus-js-client'
import { useCallback, useRef, useState } from 'react'

/** Where an upload is. */
export interface Transfer {
  readonly name: string
  readonly sent: number
  readonly total: number
  readonly state: 'sending' | 'sent' | 'failed' | 'stopped'
  readonly problem: string | null
}

/**
 * Sends a file by the tus protocol. One that was cut off, by a lost connection or a closed window, goes on where it was when the same file
 * is sent again.
 * @returns the id of the upload.
 */
export function sendFile(
  file: File,
  onProgress: (sent: number, total: number) => void,
  signal: AbortSignal,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const upload = new Upload(file, {
      endpoint: '/uploads',
      metadata: { filename: file.name },
      retryDelays: [0, 500, 1000, 2000, 4000, 8000, 15_000],
      removeFingerprintOnSuccess: true,
      onProgress,
      onError: (error) => reject(new Error(reasonOf(error))),
      onSuccess: () => resolve(new URL(upload.url!, location.href).pathname.split('/').at(-1)!),
    })
    signal.addEventListener('abort', () => {
      void upload.abort(true).catch(() => undefined)
      reject(new Error('it was stopped'))
    })
    void upload.findPreviousUploads().then(([previous]) => {
      if (signal.aborted) return
      if (previous !== undefined) upload.resumeFromPreviousUpload(previous)
      upload.start()
    }, reject)
  })
}

/** The server's own words, where it had any. */
function reasonOf(error: Error & { readonly originalResponse?: { getBody(): string } | null }): string {
  try {
    const body = JSON.parse(error.originalResponse?.getBody() ?? '') as {
      readonly error?: { readonly message?: string }
      readonly message?: string
    }
    return body.error?.message ?? body.message ?? error.message
  } catch {
    return error.message
  }
}

/** Sends files one after the other, and tells how far they are. */
export function useTransfers() {
  const [transfers, setTransfers] = useState<readonly Transfer[]>([])
  const stop = useRef<AbortController | null>(null)
  const send = useCallback(async (files: readonly File[]): Promise<readonly string[]> => {
    const controller = new AbortController()
    stop.current = controller
    setTransfers(files.map(({ name, size }) => ({ name, sent: 0, total: size, state: 'sending', problem: null })))
    const change = (at: number, changes: Partial<Transfer>): void =>
      setTransfers((before) => before.map((each, i) => (i === at ? { ...each, ...changes } : each)))
    const ids: string[] = []
    for (const [at, file] of files.entries()) {
      try {
        ids.push(await sendFile(file, (sent, total) => change(at, { sent, total }), controller.signal))
        change(at, { sent: file.size, state: 'sent' })
      } catch (error) {
        const problem = error instanceof Error ? error.message : String(error)
        change(at, { state: controller.signal.aborted ? 'stopped' : 'failed', problem })
        throw error
      }
    }
    return ids
  }, [])
  return { transfers, send, cancel: () => stop.current?.abort(), clear: () => setTransfers([]) }
}
