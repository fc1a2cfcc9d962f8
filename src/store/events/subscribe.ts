import { AppError } from '../../error.ts'
import type { Prisma, PrismaClient, RunStatus } from '../prisma/client.ts'
import type { RunEventRow } from '../rows.ts'
import type { RunFeed } from './run-feed.ts'
import { isFinal, type RunEventItem } from './run-event.ts'

/** What to follow. */
export interface SubscribeOptions {
  /** The number of the last event that the subscriber knows: no snapshot then. */
  readonly after?: number
  /** Ends the stream. */
  readonly signal?: AbortSignal
}

/**
 * Follows a run: its state, every later event in order, and the end after the event that brought a final status. The feed was
 * registered for notifications before this reads anything, so that no event can fall between the two.
 *
 * @throws AppError NOT_FOUND.
 */
export async function* followRun(
  prisma: PrismaClient,
  feed: RunFeed,
  runId: string,
  { after, signal }: SubscribeOptions,
): AsyncGenerator<RunEventItem, void> {
  const run = await prisma.run.findUnique({ where: { id: runId }, select: { seq: true, status: true, progress: true } })
  if (!run) throw new AppError('NOT_FOUND', 'there is no run with this id')
  feed.begin(run.seq)
  // A number that does not exist yet is taken for the last one that does.
  let seq = Math.min(after ?? run.seq, run.seq)
  let status = run.status
  if (after === undefined) yield { kind: 'SNAPSHOT', seq, at: new Date(), status, progress: run.progress, log: null }
  // The run has ended, and its last event is known.
  if (isFinal(status) && seq === run.seq) return
  if (seq < run.seq) status = await statusAt(prisma, runId, seq)

  for (;;) {
    const events = await feed.after(seq, signal)
    if (events.length === 0) return
    for (const event of events) {
      if (event.kind === 'STATUS') status = statusOf(event.payload)
      seq = event.seq
      yield {
        kind: event.kind,
        seq,
        at: event.createdAt,
        status,
        progress: event.kind === 'PROGRESS' ? event.payload : null,
        log: event.kind === 'LOG' ? event.payload : null,
      }
      if (isFinal(status)) return
      if (signal?.aborted) return
    }
  }
}

/** The status after an event. */
async function statusAt(prisma: PrismaClient, runId: string, seq: number): Promise<RunStatus> {
  const event: Pick<RunEventRow, 'payload'> | null = await prisma.runEvent.findFirst({
    where: { runId, kind: 'STATUS', seq: { lte: seq } },
    orderBy: { seq: 'desc' },
    select: { payload: true },
  })
  return event ? statusOf(event.payload) : 'QUEUED'
}

/** A STATUS event's payload is `{ status }`. */
function statusOf(payload: Prisma.JsonValue): RunStatus {
  return (payload as { status: RunStatus }).status
}
