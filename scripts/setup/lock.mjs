import { mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** A lock of another host (a shared folder) whose owner has not touched it for this long is stale. */
const STALE_MS = 30_000
const TOUCH_MS = 5_000
const POLL_MS = 200

/**
 * Runs `action` while this process alone holds the lock folder `path`. A lock whose owner died is broken.
 * @template T
 * @param {string} path
 * @param {(owner: string) => void} onWait called once when another process holds it
 * @param {() => Promise<T>} action
 * @returns {Promise<T>}
 */
export async function withLock(path, onWait, action) {
  const mine = JSON.stringify({ pid: process.pid, host: hostname(), at: Date.now() })
  let waits = false
  while (!tryCreate(path, mine)) {
    const owner = readOwner(path)
    if (isStale(path, owner)) breakLock(path, owner)
    else {
      // Nobody is named while its owner is just writing it.
      if (!waits && owner !== null) {
        onWait(describe(owner))
        waits = true
      }
      await sleep(POLL_MS)
    }
  }
  const touch = setInterval(() => {
    try {
      utimesSync(path, new Date(), new Date())
    } catch {
      // Somebody removed the folder by hand; the work goes on.
    }
  }, TOUCH_MS)
  touch.unref()
  try {
    return await action()
  } finally {
    clearInterval(touch)
    if (readOwner(path) === mine) rmSync(path, { recursive: true, force: true })
  }
}

function tryCreate(path, mine) {
  try {
    mkdirSync(path)
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
  writeFileSync(join(path, 'owner.json'), mine)
  return true
}

function readOwner(path) {
  try {
    return readFileSync(join(path, 'owner.json'), 'utf8')
  } catch {
    return null
  }
}

function parse(owner) {
  try {
    return JSON.parse(owner ?? 'null')
  } catch {
    return null
  }
}

function describe(owner) {
  const parsed = parse(owner)
  return parsed === null ? 'another process' : `process ${parsed.pid} on ${parsed.host}`
}

function isStale(path, owner) {
  const parsed = parse(owner)
  if (parsed !== null && parsed.host === hostname()) return !isAlive(parsed.pid)
  try {
    return Date.now() - statSync(path).mtimeMs > STALE_MS
  } catch {
    return false
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/** Two processes may find the same stale lock: the second must not throw away the first one's new lock. */
function breakLock(path, staleOwner) {
  const aside = `${path}.${process.pid}`
  try {
    renameSync(path, aside)
  } catch {
    return
  }
  if (readOwner(aside) === staleOwner) rmSync(aside, { recursive: true, force: true })
  else renameSync(aside, path)
}
