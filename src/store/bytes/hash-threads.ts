import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'

import type { FileRange } from './byte-store.ts'

/** Hashes parts of files, several at a time; dispose it to end its threads. */
export interface HashThreads extends Disposable {
  /**
   * SHA-256 of a part of a file, lower-case hex.
   * @throws Error when the file cannot be read, or ends before the part does.
   */
  hash(range: FileRange): Promise<string>
}

/** Parts that are hashed at a time: the disk and the server want cores too. */
export const HASH_THREADS: number = Math.max(2, Math.min(4, availableParallelism() - 1))

/**
 * The program of a thread: reads a part of a file through one buffer and answers its hash. It is text, because a thread is started from
 * JavaScript, and this module is loaded as TypeScript too.
 */
const PROGRAM = `
  const { createHash } = require('node:crypto')
  const { closeSync, openSync, readSync } = require('node:fs')
  const { parentPort } = require('node:worker_threads')
  const buffer = Buffer.allocUnsafeSlow(2 ** 20)
  parentPort.on('message', ({ path, offset, length }) => {
    try {
      parentPort.postMessage({ sha256: hash(path, offset, length) })
    } catch (error) {
      parentPort.postMessage({ error: error.message })
    }
  })
  function hash(path, offset, length) {
    const file = openSync(path, 'r')
    try {
      const hash = createHash('sha256')
      for (let at = 0; at < length;) {
        const read = readSync(file, buffer, 0, Math.min(buffer.length, length - at), offset + at)
        if (read === 0) throw new Error(path + ' ends at byte ' + (offset + at))
        hash.update(buffer.subarray(0, read))
        at += read
      }
      return hash.digest('hex')
    } finally {
      closeSync(file)
    }
  }`

interface Answer {
  readonly sha256?: string
  readonly error?: string
}

interface Thread {
  readonly worker: Worker
  settle: ((answer: Answer) => void) | null
}

/** Threads are started when there is something for them. */
export function hashThreads(): HashThreads {
  const threads: Thread[] = []
  const idle: Thread[] = []
  const waiting: ((thread: Thread) => void)[] = []

  function start(): Thread {
    const thread: Thread = { worker: new Worker(PROGRAM, { eval: true }), settle: null }
    const answer = (message: Answer): void => {
      thread.settle?.(message)
      thread.settle = null
    }
    thread.worker.on('message', answer)
    thread.worker.on('error', (error) => answer({ error: error.message }))
    thread.worker.on('exit', () => answer({ error: 'the thread that hashes has ended' }))
    threads.push(thread)
    return thread
  }

  async function take(): Promise<Thread> {
    const free = idle.pop()
    if (free !== undefined) return free
    if (threads.length < HASH_THREADS) return start()
    return await new Promise((resolve) => waiting.push(resolve))
  }

  function giveBack(thread: Thread): void {
    const next = waiting.shift()
    if (next === undefined) idle.push(thread)
    else next(thread)
  }

  return {
    async hash(range) {
      const thread = await take()
      const { sha256, error } = await new Promise<Answer>((resolve) => {
        thread.settle = resolve
        thread.worker.postMessage({ path: range.path, offset: range.offset, length: range.length })
      })
      giveBack(thread)
      if (sha256 === undefined) throw new Error(error)
      return sha256
    },
    [Symbol.dispose]: () => {
      for (const { worker } of threads) void worker.terminate()
    },
  }
}
