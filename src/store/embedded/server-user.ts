import { execFile } from 'node:child_process'
import { stat } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'

import { AppError } from '../../error.ts'

const run = promisify(execFile)

/** Ids of the user that PostgreSQL runs as where we are root, which it refuses to be. */
export interface ServerUser {
  readonly uid: number
  readonly gid: number
}

/** What to spawn. */
export interface Launch {
  readonly file: string
  readonly args: readonly string[]
  /** Options of `spawn`: the ids to take, where the program does not take them by itself. */
  readonly ids: { readonly uid?: number; readonly gid?: number }
}

/** How to start one of PostgreSQL's programs, and the user that has to own its files (null: whoever we are). */
export interface Launcher {
  readonly user: ServerUser | null
  launch(program: string, args: readonly string[]): Launch
}

/**
 * A launcher that may read all of `folders`. For a user other than root it is the program itself. For root it is user `postgres`
 * (made when there is none; `nobody` where none can be made). A clone below a closed folder such as /root is out of that user's
 * sight: there the program gets the one capability that opens folders, by util-linux' setpriv.
 *
 * @throws AppError BAD_INPUT when a folder is closed and setpriv is of no help.
 */
export async function chooseLauncher(folders: readonly string[]): Promise<Launcher> {
  if (process.getuid?.() !== 0) return { user: null, launch: (file, args) => ({ file, args, ids: {} }) }
  const user = (await findUser('postgres')) ?? (await createUser('postgres')) ?? (await findUser('nobody'))
  if (user === null)
    throw new AppError(
      'BAD_INPUT',
      'PostgreSQL refuses to run as root, and there is no user `postgres` or `nobody` that it could run as. ' +
        'Start nograd as another user, or set DATABASE_URL.',
    )
  const closed = (await Promise.all(folders.map((folder) => closedAncestor(folder, user)))).find(
    (found) => found !== null,
  )
  if (closed === undefined) return { user, launch: (file, args) => ({ file, args, ids: user }) }

  const prefix = [
    ...['--reuid', String(user.uid), '--regid', String(user.gid), '--clear-groups'],
    ...['--inh-caps', '+dac_override', '--ambient-caps', '+dac_override', '--'],
  ]
  try {
    await run('setpriv', [...prefix, 'ls', '-d', ...folders])
  } catch (cause) {
    throw new AppError(
      'BAD_INPUT',
      `${closed} is closed to user ${user.uid}, which the embedded PostgreSQL runs as because it refuses to run as root. ` +
        'Move nograd and its data directory to an open folder, start it as another user, or set DATABASE_URL.',
      { cause },
    )
  }
  return { user, launch: (file, args) => ({ file: 'setpriv', args: [...prefix, file, ...args], ids: {} }) }
}

async function findUser(name: string): Promise<ServerUser | null> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])])
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
  } catch {
    return null
  }
}

async function createUser(name: string): Promise<ServerUser | null> {
  try {
    await run('groupadd', ['--system', name])
    await run('useradd', ['--system', '--gid', name, '--no-create-home', name])
  } catch {
    // No such programs, or another process was faster: the next line knows.
  }
  return findUser(name)
}

/** The outermost folder above or at `folder` that `user` may not pass through, if any. */
async function closedAncestor(folder: string, user: ServerUser): Promise<string | null> {
  const parts = path.resolve(folder).split(path.sep)
  for (let length = 1; length <= parts.length; length++) {
    const ancestor = parts.slice(0, length).join(path.sep) || path.sep
    const { mode, uid, gid } = await stat(ancestor)
    const pass = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001
    if ((mode & pass) === 0) return ancestor
  }
  return null
}
