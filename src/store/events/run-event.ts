import type { Prisma, RunEventKind, RunStatus } from '../prisma/client.ts'

/** What a subscriber of a run gets. */
export interface RunEventItem {
  readonly kind: 'SNAPSHOT' | RunEventKind
  /** Number of the event; of a snapshot, of the last event that it contains. */
  readonly seq: number
  readonly at: Date
  /** The status after it. */
  readonly status: RunStatus
  /** For SNAPSHOT and PROGRESS: what was appended. */
  readonly progress: Prisma.JsonValue
  /** For LOG: what was appended. */
  readonly log: Prisma.JsonValue
}

/** Whether no event follows the one that brought this status. */
export function isFinal(status: RunStatus): boolean {
  return status === 'SUCCEEDED' || status === 'FAILED' || status === 'CANCELLED'
}
