import { readdir, rm, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { leaseOwner, type CacheLayout } from './cache-layout.ts'
import { errnoOf } from '../../usecase/index.ts'

/** Milliseconds without a sign of life after which what another host (or container) left counts as abandoned. */
const ABANDONED_MS = 10 * 60_000

/** Milliseconds after which a file that is still only partly written belongs to nobody. */
const PARTIAL_MS = 24 * 3600_000

/** Removes the leases and partial files of processes that are gone. */
export async function removeStaleLeases({ leases, partial }: CacheLayout, log: Logger): Promise<void> {
  const now = Date.now()
  for (const folder of await readdir(leases)) {
    const owner = leaseOwner(folder)
    if (owner === null) continue
    const path = join(leases, folder)
    const facts = await stat(path).catch(() => null)
    if (facts === null) continue
    const gone = owner.host === hostname() ? !isAlive(owner.pid) : now - facts.mtimeMs > ABANDONED_MS
    if (!gone) continue
    log.debug({ lease: folder }, 'the cache lease of a process that is gone is removed')
    await rm(path, { recursive: true, force: true })
  }
  for (const name of await readdir(partial)) {
    const path = join(partial, name)
    const facts = await stat(path).catch(() => null)
    if (facts !== null && now - facts.mtimeMs > PARTIAL_MS) await rm(path, { force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it lives, and belongs to somebody else.
    return errnoOf(error) === 'EPERM'
  }
}
