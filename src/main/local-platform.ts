import { fork, type ChildProcess } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { LocalPlatform } from '../cli/index.ts'
import { AppError, ERROR_CODES, type ErrorCode } from '../error.ts'
import { findRunningPlatform } from './platform-file.ts'
import { platformUsers, usePlatform } from './platform-users.ts'

/** Milliseconds in which a platform that another process starts must be there. */
const WAIT_MS = 60_000
const LOOK_MS = 100

/** What a platform that was started for the duration says to the process that started it. */
export type StartMessage =
  | { readonly kind: 'ready'; readonly url: string }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }

/**
 * The platform that runs on a data folder; where none runs, one is started on a free port. It stops when no command uses it any
 * more, also when this process is killed; what it evaluated stays in the data folder.
 * @throws AppError when it cannot be started.
 */
export async function localPlatform(dataDir: string, say: (line: string) => void): Promise<LocalPlatform> {
  const use = await usePlatform(dataDir)
  let started: ChildProcess | null = null
  try {
    const url = await find()
    return {
      url,
      [Symbol.asyncDispose]: async () => {
        await use[Symbol.asyncDispose]()
        if (started !== null && (await platformUsers(dataDir)).length === 0) await exitOf(started)
      },
    }
  } catch (error) {
    await use[Symbol.asyncDispose]()
    throw error
  }

  async function find(): Promise<string> {
    const deadline = Date.now() + WAIT_MS
    while (Date.now() < deadline) {
      const running = await findRunningPlatform(dataDir)
      if (running !== null) return running.url
      say(`starting nograd on ${dataDir} for the duration`)
      const child = launch(dataDir)
      const outcome = await firstMessage(child)
      if (outcome.kind === 'ready') {
        started = child
        return outcome.url
      }
      // Another process starts it at this moment, or stops it.
      if (outcome.code !== 'CONFLICT') throw new AppError(codeOf(outcome.code), outcome.message)
      await sleep(LOOK_MS)
    }
    throw new AppError(
      'CONFLICT',
      `the platform on ${dataDir} was neither started nor found within ${WAIT_MS / 1000} s`,
    )
  }
}

/** In its own process group: Ctrl-C in our terminal is ours to handle, and others may use the platform as well. */
function launch(dataDir: string): ChildProcess {
  const program = fileURLToPath(new URL('../main.js', import.meta.url))
  const args = ['start', '--temporary', '--no-sample', '--port', '0', '--data-dir', dataDir]
  return fork(program, args, { detached: true, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
}

async function firstMessage(child: ChildProcess): Promise<StartMessage> {
  const message = await new Promise<StartMessage>((resolve) => {
    child.once('message', (value) => resolve(value as StartMessage))
    child.once('error', ({ message: text }) => resolve({ kind: 'failed', code: 'INTERNAL', message: text }))
    child.once('exit', (code, signal) =>
      resolve({
        kind: 'failed',
        code: 'INTERNAL',
        message: `nograd ended while it started (${String(signal ?? code)})`,
      }),
    )
  })
  if (child.connected) child.disconnect()
  child.unref()
  return message
}

async function exitOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.ref()
  await new Promise((resolve) => child.once('exit', resolve))
}

const codeOf = (code: string): ErrorCode => (code in ERROR_CODES ? (code as ErrorCode) : 'INTERNAL')
