import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'

/** Milliseconds that a platform has to answer `/healthz`. */
const HEALTH_MS = 2_000

const schema = z.object({
  pid: z.number().int().positive(),
  url: z.string(),
  startedAt: z.string(),
})

/** What `<data>/platform.json` says of the platform that runs there. */
export type PlatformFile = Readonly<z.infer<typeof schema>>

const pathIn = (dataDir: string): string => join(dataDir, 'platform.json')

/** A platform that is announced; disposing it takes that back. */
export interface Announcement extends AsyncDisposable {
  readonly path: string
}

/** Says where the platform of a data folder is. */
export async function announcePlatform(dataDir: string, file: PlatformFile): Promise<Announcement> {
  await mkdir(dataDir, { recursive: true })
  const path = pathIn(dataDir)
  const draft = `${path}.${process.pid}`
  await writeFile(draft, `${JSON.stringify(file)}\n`)
  await rename(draft, path)
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      if ((await read(path))?.pid === file.pid) await rm(path, { force: true })
    },
  }
}

/** The platform that runs on a data folder: announced, its process alive, and answering. */
export async function findRunningPlatform(dataDir: string): Promise<PlatformFile | null> {
  const file = await read(pathIn(dataDir))
  if (file === null || !isAlive(file.pid)) return null
  return (await isHealthy(file.url)) ? file : null
}

async function read(path: string): Promise<PlatformFile | null> {
  try {
    return schema.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch {
    // None, or what a process that was killed left behind.
    return null
  }
}

async function isHealthy(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(HEALTH_MS) })
    const answer = (await response.json()) as { readonly ok?: unknown } | null
    return response.ok && answer?.ok === true
  } catch {
    return false
  }
}

/** Whether a process of this machine lives. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
