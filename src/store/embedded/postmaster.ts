import { execFile } from 'node:child_process'
import { readFile, readlink, realpath, rm } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'

import type { ClusterPaths } from './cluster.ts'

/** What `postmaster.pid` says about a server that runs. */
export interface Postmaster {
  readonly pid: number
  readonly port: number
  /** It takes connections. */
  readonly ready: boolean
}

/**
 * The server that runs on a cluster, if any. The file of a server that was killed is removed when its process number has been
 * given to another program since, which PostgreSQL would take for a live server.
 *
 * The lines of the file: https://github.com/postgres/postgres/blob/REL_18_STABLE/src/include/utils/pidfile.h
 */
export async function findPostmaster(paths: ClusterPaths): Promise<Postmaster | null> {
  const file = path.join(paths.cluster, 'postmaster.pid')
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  })
  if (text === null) return null
  const lines = text.split('\n')
  const pid = Number(lines[0])
  if (!Number.isSafeInteger(pid) || pid <= 0 || !isAlive(pid)) return null
  if (!(await isServerOf(pid, paths.cluster))) {
    await rm(file, { force: true })
    return null
  }
  return { pid, port: Number(lines[3]), ready: lines[7]?.trim() === 'ready' }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function isServerOf(pid: number, cluster: string): Promise<boolean> {
  try {
    // A postmaster's working directory is its cluster.
    return (await readlink(`/proc/${pid}/cwd`)) === (await realpath(cluster))
  } catch (error) {
    // A process that has ended and was not waited for has no working directory.
    if (process.platform === 'linux' && (error as NodeJS.ErrnoException).code === 'ENOENT') return false
    // No /proc (macOS), or a process of another user.
    return promisify(execFile)('ps', ['-o', 'comm=', '-p', String(pid)]).then(
      ({ stdout }) => stdout.includes('postgres'),
      // Without ps nothing is known: rather refuse to start than remove the lock file of a live server.
      (error: unknown) => (error as NodeJS.ErrnoException).code === 'ENOENT',
    )
  }
}
