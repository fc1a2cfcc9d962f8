import { execFile } from 'node:child_process'
import { readFile, readdir, readlink } from 'node:fs/promises'
import { createServer } from 'node:net'
import { promisify } from 'node:util'
import { AppError } from '../error.ts'

/**
 * Looks whether a port can be listened on, before anything is started.
 * @throws AppError CONFLICT (taken, by whom, how to choose another), BAD_INPUT (no such address, not allowed).
 */
export async function checkPort(host: string, port: number): Promise<void> {
  const problem = await tryListen(host, port)
  if (problem === null) return
  const cure = `Choose another port: npm start -- --port ${suggestion(port)} (or NOGRAD_PORT=${suggestion(port)}).`
  if (problem.code === 'EADDRINUSE') {
    const owner = await portOwner(port).catch(() => null)
    throw new AppError('CONFLICT', `port ${port} of ${host} is taken by ${owner ?? 'another process'}. ${cure}`)
  }
  if (problem.code === 'EACCES')
    throw new AppError('BAD_INPUT', `port ${port} may only be listened on by an administrator. ${cure}`)
  throw new AppError('BAD_INPUT', `${host}:${port} cannot be listened on (${problem.message}). Is NOGRAD_HOST right?`)
}

const suggestion = (port: number): number => (port >= 1024 && port < 65_535 ? port + 1 : 4001)

function tryListen(host: string, port: number): Promise<NodeJS.ErrnoException | null> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', resolve)
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)))
  })
}

/** Who listens on a port, for people: `node server.js` (process 123); null when it cannot be found out. */
async function portOwner(port: number): Promise<string | null> {
  const isLinux = process.platform === 'linux'
  const pid = isLinux ? await ownerFromProc(port) : await ownerFromLsof(port)
  if (pid === null) return null
  const command = await (isLinux
    ? readFile(`/proc/${pid}/cmdline`, 'utf8').then((line) => line.replaceAll('\0', ' '))
    : promisify(execFile)('ps', ['-o', 'args=', '-p', String(pid)]).then(({ stdout }) => stdout))
  return `process ${pid} (${command.trim().slice(0, 120)})`
}

/** https://docs.kernel.org/networking/proc_net_tcp.html; state 0A is LISTEN. */
async function ownerFromProc(port: number): Promise<number | null> {
  const tables = await Promise.all(['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8').catch(() => '')))
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const sockets = new Set(
    tables
      .flatMap((table) => table.split('\n').map((line) => line.trim().split(/\s+/)))
      .filter((fields) => fields[1]?.endsWith(suffix) === true && fields[3] === '0A')
      .map((fields) => `socket:[${fields[9] ?? ''}]`),
  )
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const files = await readdir(`/proc/${pid}/fd`).catch(() => [])
    for (const file of files) {
      const target = await readlink(`/proc/${pid}/fd/${file}`).catch(() => '')
      if (sockets.has(target)) return Number(pid)
    }
  }
  return null
}

async function ownerFromLsof(port: number): Promise<number | null> {
  const { stdout } = await promisify(execFile)('lsof', ['-nP', '-t', `-iTCP:${port}`, '-sTCP:LISTEN'])
  const pid = Number.parseInt(stdout, 10)
  return Number.isNaN(pid) ? null : pid
}
