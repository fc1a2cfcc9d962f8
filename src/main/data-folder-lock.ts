import { createHash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { mkdir, realpath } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Takes the data folder for this process; null when another process has it. The lock is a listening socket, which the kernel
 * gives back whatever the process dies of: a file with a process number could name another process after a restart.
 *
 * It lies in the folder for temporary files, because a socket's path must be short.
 */
export async function lockDataFolder(dataDir: string): Promise<Disposable | null> {
  await mkdir(dataDir, { recursive: true })
  const name = createHash('sha256')
    .update(await realpath(dataDir))
    .digest('hex')
    .slice(0, 16)
  const path = join(tmpdir(), `nograd-${name}.sock`)
  for (let attempt = 0; attempt < 3; attempt++) {
    const server = await listen(path)
    if (server !== null) {
      server.unref()
      return { [Symbol.dispose]: () => server.close() }
    }
    if (await answers(path)) return null
    // Left behind by a process that was killed.
    rmSync(path, { force: true })
  }
  return null
}

function listen(path: string): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(null)
      else reject(error)
    })
    server.listen(path, () => resolve(server))
  })
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    // Another user's socket may not be connected to, and is somebody's.
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'EACCES' || error.code === 'EPERM'))
  })
}
