import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isAlive } from './platform-file.ts'

/** How often a platform that was started for the duration looks whether anybody still uses it. */
const LOOK_MS = 300

const folderIn = (dataDir: string): string => join(dataDir, 'users')

/** Says that this process uses the platform of a data folder. A file of a process that died says nothing any more. */
export async function usePlatform(dataDir: string): Promise<AsyncDisposable> {
  const folder = folderIn(dataDir)
  await mkdir(folder, { recursive: true })
  const file = join(folder, String(process.pid))
  await writeFile(file, '')
  return { [Symbol.asyncDispose]: () => rm(file, { force: true }) }
}

/** Process numbers of those who use the platform. */
export async function platformUsers(dataDir: string): Promise<readonly number[]> {
  const folder = folderIn(dataDir)
  const pids = (await readdir(folder).catch(() => [])).map(Number).filter((pid) => Number.isSafeInteger(pid) && pid > 0)
  const dead = pids.filter((pid) => !isAlive(pid))
  await Promise.all(dead.map((pid) => rm(join(folder, String(pid)), { force: true })))
  return pids.filter((pid) => isAlive(pid))
}

/** Calls `onUnused` once when nobody uses the platform any more. It does not keep the process alive. */
export function watchPlatformUsers(dataDir: string, onUnused: () => void): void {
  const timer = setInterval(() => {
    void platformUsers(dataDir).then((pids) => {
      if (pids.length > 0) return
      clearInterval(timer)
      onUnused()
    })
  }, LOOK_MS)
  timer.unref()
}
