import { createHash } from 'node:crypto'
import type { Session } from '../engine/index.ts'
import { AppError } from '../error.ts'
import { itemSize, numel } from '../tensor/index.ts'
import type { RunPlan } from '../usecase/index.ts'

/** What sessions may take while nobody uses them. */
export interface SessionCacheLimits {
  readonly sessions: number
  /** Bytes of their weights. */
  readonly bytes: number
}

/** A session that is kept, and what goes with it. */
export interface LoadedSession {
  readonly session: Session
  /** Of its weights. */
  readonly bytes: number
  /** Disposed after the session. */
  readonly resources: AsyncDisposable
}

/** A session in use. Dispose it to give it back. */
export interface BorrowedSession extends AsyncDisposable {
  readonly session: Session
  /** Whether it was loaded before. */
  readonly warm: boolean
  /** It failed: it is not kept. */
  discard(): void
}

/** The sessions of the last runs, so that the next run of the same weights starts at once. */
export interface SessionCache extends AsyncDisposable {
  /** The session of a key; loaded when it is not kept. */
  borrow(key: string, load: () => Promise<LoadedSession>): Promise<BorrowedSession>
}

/** What makes two sessions the same: graph, weights and device. Which checkpoint brought the weights does not matter. */
export function sessionKey(plan: RunPlan, engine: string, device: string): string {
  const weights = [...plan.parameters].map(([parameter, { storageHash, dtype, shape, stride, storageOffset }]) => [
    parameter,
    storageHash,
    dtype,
    shape,
    stride,
    storageOffset,
  ])
  return createHash('sha256')
    .update(JSON.stringify([plan.graphHash, engine, device, weights]))
    .digest('hex')
}

/** Bytes of the weights of a plan's session. */
export const weightBytes = ({ graph }: RunPlan): number =>
  graph.parameters.reduce((sum, { shape, dtype }) => sum + numel(shape) * itemSize(dtype), 0)

/** Keeps sessions, the least recently used of which goes first. */
export function openSessionCache(limits: SessionCacheLimits): SessionCache {
  // In order of use, the latest last.
  const idle = new Map<string, LoadedSession>()

  async function borrow(key: string, load: () => Promise<LoadedSession>): Promise<BorrowedSession> {
    const kept = idle.get(key)
    idle.delete(key)
    const entry = kept ?? (await loadWithRoom(load))
    let healthy = true
    return {
      session: entry.session,
      warm: kept !== undefined,
      discard() {
        healthy = false
      },
      async [Symbol.asyncDispose]() {
        if (!healthy) {
          await close(entry)
          return
        }
        idle.set(key, entry)
        await shrink(limits)
      },
    }
  }

  /** A session that does not fit into memory next to those that are kept may fit without them. */
  async function loadWithRoom(load: () => Promise<LoadedSession>): Promise<LoadedSession> {
    try {
      return await load()
    } catch (error) {
      if (idle.size === 0 || !(error instanceof AppError && error.code === 'ENGINE_FAILED')) throw error
      await shrink({ sessions: 0, bytes: 0 })
      return await load()
    }
  }

  async function shrink({ sessions, bytes }: SessionCacheLimits): Promise<void> {
    let total = 0
    for (const entry of idle.values()) total += entry.bytes
    for (const [key, entry] of idle) {
      if (idle.size <= sessions && total <= bytes) return
      idle.delete(key)
      total -= entry.bytes
      await close(entry)
    }
  }

  return { borrow, [Symbol.asyncDispose]: () => shrink({ sessions: 0, bytes: 0 }) }
}

/** A session of an engine that has died cannot be released, and need not be. */
async function close({ session, resources }: LoadedSession): Promise<void> {
  await Promise.allSettled([session[Symbol.asyncDispose]()])
  await resources[Symbol.asyncDispose]()
}
