import { verdictsOf, type Task, type Verdicts } from '../metric/index.ts'
import type { Platform } from './platform.ts'

/** Samples of a run that follow each other. */
export interface SampleChunkRows {
  readonly firstRow: number
  readonly attempt: number
  readonly verdicts: Verdicts
}

/** Chunks that one statement reads: some MiB. */
const CHUNKS = 4

/**
 * What was kept of a run's samples, in order of the rows, of the shards that are DONE. A few chunks are in memory at a time.
 * @param codes targets of one sample.
 */
export async function* scanSamples(
  { store }: Platform,
  run: { readonly id: string; readonly task: Task; readonly codes: number },
  fromRow = 0,
): AsyncGenerator<SampleChunkRows> {
  let next = fromRow
  for (;;) {
    const rows = await store.prisma.$queryRaw<
      { firstRow: bigint; rows: number; attempt: number; verdicts: Uint8Array }[]
    >`
      select chunk."firstRow", chunk.rows, chunk.attempt, chunk.verdicts
      from "SampleChunk" chunk
      join "Shard" shard on shard."runId" = chunk."runId" and shard.index = chunk.shard and shard.attempt = chunk.attempt
      where chunk."runId" = ${run.id}::uuid and shard.status = 'DONE' and chunk."firstRow" + chunk.rows > ${next}
      order by chunk."firstRow" limit ${CHUNKS}`
    for (const { firstRow, rows: count, attempt, verdicts } of rows) {
      next = Number(firstRow) + count
      yield { firstRow: Number(firstRow), attempt, verdicts: verdictsOf(run.task, count, run.codes, verdicts) }
    }
    if (rows.length < CHUNKS) return
  }
}

/** float32 logits of samples of one chunk. */
export async function readLogits(
  { store }: Platform,
  runId: string,
  { firstRow, attempt }: Pick<SampleChunkRows, 'firstRow' | 'attempt'>,
  place: number,
  width: number,
): Promise<Float32Array> {
  const [row] = await store.prisma.$queryRaw<{ logits: Uint8Array }[]>`
    select substring(logits from ${1 + 4 * width * place}::int for ${4 * width}::int) as logits
    from "SampleChunk" where "runId" = ${runId}::uuid and "firstRow" = ${firstRow} and attempt = ${attempt}`
  // Of its own, so that it begins at an even address.
  return new Float32Array(new Uint8Array(row?.logits ?? []).buffer)
}

/** All logits of a chunk. */
export async function readChunkLogits(
  { store }: Platform,
  runId: string,
  { firstRow, attempt }: Pick<SampleChunkRows, 'firstRow' | 'attempt'>,
): Promise<Float32Array> {
  const found = await store.prisma.sampleChunk.findUnique({
    where: { runId_firstRow_attempt: { runId, firstRow: BigInt(firstRow), attempt } },
    select: { logits: true },
  })
  return new Float32Array(new Uint8Array(found?.logits ?? []).buffer)
}
