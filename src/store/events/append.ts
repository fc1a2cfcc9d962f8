import { AppError } from '../../error.ts'
import type { Transaction } from '../client.ts'
import { CHANNELS } from '../listener.ts'
import type { RunEventKind } from '../prisma/client.ts'

/**
 * Writes the next event of a run in the caller's transaction. The lock on the run's row, held until the commit, makes the order of
 * commits the order of the numbers; subscribers are told at the commit.
 *
 * @returns its number.
 * @throws AppError NOT_FOUND.
 */
export async function appendEvent(
  tx: Transaction,
  runId: string,
  kind: RunEventKind,
  payload: unknown,
): Promise<number> {
  // Notifications carry numbers only: equal payloads of one transaction would be merged, long ones refused.
  const rows = await tx.$queryRaw<{ seq: number }[]>`
    with numbered as (
      update "Run" set seq = seq + 1 where id = ${runId}::uuid returning id, seq, "modelId"
    ), written as (
      insert into "RunEvent" ("runId", seq, kind, payload)
      select id, seq, ${kind}::text::"RunEventKind", ${JSON.stringify(payload)}::text::json from numbered
    )
    select seq,
           pg_notify(${CHANNELS.runEvent}, id || ':' || seq)::text as event,
           case when ${kind} = 'STATUS' then pg_notify(${CHANNELS.runChanged}, id || ':' || "modelId")::text end as change
    from numbered`
  const row = rows[0]
  if (!row) throw new AppError('NOT_FOUND', 'there is no run with this id')
  return row.seq
}
