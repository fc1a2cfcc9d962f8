import { judge, verdictBytes, type LogitsBatch, type Task, type TaskOptions, type Verdicts } from '../metric/index.ts'
import { packArrays } from '../tensor/index.ts'
import type { SampleRows } from '../usecase/index.ts'

/** Bytes of logits that are written together, and samples. */
const CHUNK_BYTES = 1 << 20
const CHUNK_ROWS = 65_536

/** Collects what a model says about samples that follow each other, and writes it in pieces of some MiB. */
export interface SampleKeeper {
  keep(batch: LogitsBatch): Promise<void>
  /** Writes what is left. */
  close(): Promise<void>
}

/** @param write is given one piece after the other. */
export function sampleKeeper(
  task: Task,
  options: TaskOptions,
  write: (rows: SampleRows) => Promise<void>,
): SampleKeeper {
  const judged = judge(task, options)
  let firstRow = 0
  let rows = 0
  let bytes = 0
  let verdicts: Verdicts[] = []
  let logits: Float32Array[] = []

  async function flush(): Promise<void> {
    if (rows === 0) return
    const piece: SampleRows = {
      firstRow,
      rows,
      verdicts: verdictBytes(verdicts),
      logits: packArrays(logits),
    }
    rows = bytes = 0
    verdicts = []
    logits = []
    await write(piece)
  }

  return {
    async keep(batch) {
      if (rows === 0) firstRow = batch.first
      verdicts.push(judged(batch))
      logits.push(batch.logits)
      rows += batch.n
      bytes += batch.logits.byteLength
      if (bytes >= CHUNK_BYTES || rows >= CHUNK_ROWS) await flush()
    },
    close: flush,
  }
}
