import { randomUUID } from 'node:crypto'
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { invariant } from '../error.ts'
import { errnoOf } from './errno.ts'

/** Which spool a folder is, for several servers may share a database and each has its own. */
export interface SpoolIdentity {
  readonly id: string
  /** The machine that it was made on, for people. */
  readonly hostname: string
}

const FILE = 'spool.json'

/** The identity of a spool folder; both are made where they are not there yet. It stays when the folder moves. */
export async function spoolIdentity(spoolDir: string): Promise<SpoolIdentity> {
  const path = join(spoolDir, FILE)
  const found = await read(path)
  if (found !== null) return found
  await mkdir(spoolDir, { recursive: true })
  const draft = `${path}.${randomUUID()}`
  await writeFile(draft, `${JSON.stringify({ id: randomUUID(), hostname: hostname() })}\n`, { mode: 0o600 })
  try {
    // Whole, or not at all: another process may make it at this moment.
    await link(draft, path)
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error
  } finally {
    await rm(draft, { force: true })
  }
  const made = await read(path)
  invariant(made !== null, `${path} is gone as soon as it was made`)
  return made
}

async function read(path: string): Promise<SpoolIdentity | null> {
  try {
    const { id, hostname: host } = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>
    invariant(typeof id === 'string' && typeof host === 'string', `${path} is not what we wrote`)
    return { id, hostname: host }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null
    throw error
  }
}
