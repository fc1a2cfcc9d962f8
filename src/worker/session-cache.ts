import { engineFailed, type Session } from '../engine/index.ts'
import { itemSize, numel } from '../tensor/index.ts'
import type { ModelPlan } from '../usecase/index.ts'

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

/** A session in use, perhaps by others as well: the engine takes their batches in turn. Dispose it to give it back. */
export interface BorrowedSession extends AsyncDisposable {
  readonly session: Session
  /** Whether it was loaded before. */
  readonly warm: boolean
  /** It failed: nobody gets it any more. */
  discard(): void
}

/** The sessions of the last runs and predictions, so that the next one of the same weights starts at once. */
export interface SessionCache extends AsyncDisposable {
  /** The session of a key; loaded when it is not there. */
  borrow(key: string, load: () => Promise<LoadedSession>): Promise<BorrowedSession>
  /** Whether a session of a model (the key of its plan) is loaded, on whatever device. */
  holds(model: string): boolean
}

/** What makes two sessions the same: graph, weights, device, and what it computes in. */
export const sessionKey = (plan: Pick<ModelPlan, 'key'>, engine: string, device: string, dtype: string): string =>
  `${plan.key} ${engine} ${device} ${dtype}`

/** Bytes of the weights of a plan's session. */
export const weightBytes = ({ graph }: Pick<ModelPlan, 'graph'>): number =>
  graph.parameters.reduce((sum, { shape, dtype }) => sum + numel(shape) * itemSize(dtype), 0)

/** A session and those who use it. */
interface Entry {
  readonly loading: Promise<LoadedSession>
  /** Null until it is loaded. */
  loaded: LoadedSession | null
  users: number
  healthy: boolean
}

/** Keeps sessions, the least recently used of which goes first. */
export function openSessionCache(limits: SessionCacheLimits): SessionCache {
  // In order of use, the latest last. Those in use are there too, and those that are being loaded.
  const entries = new Map<string, Entry>()

  async function borrow(key: string, load: () => Promise<LoadedSession>): Promise<BorrowedSession> {
    for (;;) {
      const found = entries.get(key)
      if (found === undefined) return await borrowNew(key, load)
      const warm = found.loaded !== null
      found.users++
      try {
        await found.loading
        return use(key, found, warm)
      } catch {
        // Whoever loads it has failed, perhaps because its run was cancelled: that is not our failure.
        found.users--
      }
    }
  }

  async function borrowNew(key: string, load: () => Promise<LoadedSession>): Promise<BorrowedSession> {
    const entry: Entry = { loading: loadWithRoom(load), loaded: null, users: 1, healthy: true }
    entries.set(key, entry)
    try {
      entry.loaded = await entry.loading
      return use(key, entry, false)
    } catch (error) {
      entries.delete(key)
      throw error
    }
  }

  function use(key: string, entry: Entry, warm: boolean): BorrowedSession {
    const loaded = entry.loaded!
    return {
      session: loaded.session,
      warm,
      discard() {
        entry.healthy = false
        if (entries.get(key) === entry) entries.delete(key)
      },
      async [Symbol.asyncDispose]() {
        entry.users--
        if (!entry.healthy) {
          if (entry.users === 0) await close(loaded)
          return
        }
        entries.delete(key)
        entries.set(key, entry)
        await shrink(limits)
      },
    }
  }

  /** A session that does not fit into memory next to those that are kept may fit without them. */
  async function loadWithRoom(load: () => Promise<LoadedSession>): Promise<LoadedSession> {
    try {
      return await load()
    } catch (error) {
      if (idle().length === 0 || !engineFailed(error)) throw error
      await shrink({ sessions: 0, bytes: 0 })
      return await load()
    }
  }

  const idle = () =>
    [...entries].flatMap(([key, { users, loaded }]) => (users === 0 && loaded !== null ? [{ key, loaded }] : []))

  async function shrink({ sessions, bytes }: SessionCacheLimits): Promise<void> {
    const kept = idle()
    let total = kept.reduce((sum, { loaded }) => sum + loaded.bytes, 0)
    const going: LoadedSession[] = []
    for (const [i, { key, loaded }] of kept.entries()) {
      if (kept.length - i <= sessions && total <= bytes) break
      // At once, so that nobody borrows what is being closed.
      entries.delete(key)
      total -= loaded.bytes
      going.push(loaded)
    }
    for (const loaded of going) await close(loaded)
  }

  return {
    borrow,
    holds: (model) => [...entries].some(([key, { loaded }]) => loaded !== null && key.startsWith(`${model} `)),
    [Symbol.asyncDispose]: () => shrink({ sessions: 0, bytes: 0 }),
  }
}

/** A session of an engine that has died cannot be released, and need not be. */
async function close({ session, resources }: LoadedSession): Promise<void> {
  await Promise.allSettled([session[Symbol.asyncDispose]()])
  await resources[Symbol.asyncDispose]()
}
