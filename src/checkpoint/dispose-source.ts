import type { ByteSource } from '../container/index.ts'

/** Disposes a source, where it is disposable: a file is, bytes in memory are not. */
export async function disposeSource(source: ByteSource & Partial<AsyncDisposable>): Promise<void> {
  await source[Symbol.asyncDispose]?.()
}
