import { closeSync, openSync, readSync } from 'node:fs'
import { setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { denseBytes, type ReadRange } from '../../checkpoint/index.ts'
import { invariant } from '../../error.ts'
import { tensorDistance, tensorStatistics } from '../../statistics/index.ts'
import { numel } from '../../tensor/index.ts'
import { THREAD_STATE, type TensorInFile, type ThreadAnswer, type ThreadMessage } from './thread-protocol.ts'

// The program of the thread that computes statistics and distances, from files of the worker's cache. It blocks itself and nobody else.

const port = parentPort
invariant(port !== null, 'inspection-thread is started by openInspectionThread')
const state = new Int32Array(workerData as SharedArrayBuffer)

/** Bytes between two looks at the state: some milliseconds of work. */
const PIECE = 1 << 20
/** The least priority. Linux gives threads their own; elsewhere it would be that of the process. */
const LEAST = 19
if (process.platform === 'linux') setPriority(0, LEAST)

/** Waits while a run is evaluated. */
function mayGoOn(): void {
  while (Atomics.load(state, 0) === THREAD_STATE.pause) Atomics.wait(state, 0, THREAD_STATE.pause)
  if (Atomics.load(state, 0) === THREAD_STATE.stop) throw new Error('the inspection was stopped')
}

/** Bytes of a file. A piece is only good until the next one is asked for. */
function rangesOf(file: number, path: string): ReadRange {
  return async function* (offset, length) {
    const piece = new Uint8Array(Math.min(PIECE, length))
    for (let at = 0; at < length;) {
      mayGoOn()
      const read = readSync(file, piece, 0, Math.min(PIECE, length - at), offset + at)
      if (read === 0) throw new Error(`${path} ends at byte ${offset + at}`)
      yield await Promise.resolve(piece.subarray(0, read))
      at += read
    }
  }
}

async function withFiles<T>(
  tensors: readonly TensorInFile[],
  work: (elements: readonly (() => AsyncIterable<Uint8Array>)[]) => Promise<T>,
): Promise<T> {
  const files: number[] = []
  try {
    for (const { path } of tensors) files.push(openSync(path, 'r'))
    return await work(
      tensors.map(
        ({ path, view }, i) =>
          () =>
            denseBytes(view, rangesOf(files[i]!, path)),
      ),
    )
  } finally {
    for (const file of files) closeSync(file)
  }
}

async function answer({ request }: ThreadMessage): Promise<unknown> {
  mayGoOn()
  switch (request.kind) {
    case 'statistics': {
      const { view } = request.tensor
      return await withFiles([request.tensor], ([elements]) =>
        tensorStatistics(view.dtype, numel(view.shape), elements!),
      )
    }
    case 'distance': {
      const { base, other } = request
      return await withFiles([base, other], ([left, right]) =>
        tensorDistance({ dtype: base.view.dtype, elements: left! }, { dtype: other.view.dtype, elements: right! }),
      )
    }
    default:
      throw new Error(`unknown request ${JSON.stringify(request satisfies never)}`)
  }
}

let last = Promise.resolve()
port.on('message', (message: ThreadMessage) => {
  last = last.then(async () => {
    const { id } = message
    try {
      port.postMessage({ id, kind: 'value', value: await answer(message) } satisfies ThreadAnswer)
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error)
      port.postMessage({ id, kind: 'error', message: text } satisfies ThreadAnswer)
    }
  })
})
