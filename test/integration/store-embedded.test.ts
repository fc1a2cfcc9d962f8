import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmod, chown, mkdir, mkdtemp, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import pg from 'pg'

import { startEmbeddedPostgres } from '../../src/store/embedded/index.ts'
import { silent } from './database.ts'

const isRoot = process.getuid?.() === 0
let dataDir: string
beforeEach(async () => {
  // As in a fresh temporary folder: closed to all others, also to the user that the server runs as where we are root.
  dataDir = path.join(await mkdtemp(path.join(await realpath(tmpdir()), 'nograd-embedded-')), 'data')
})
afterEach(async () => {
  await rm(path.dirname(dataDir), { recursive: true, force: true })
})

const start = (port?: number) =>
  startEmbeddedPostgres({ dataDir, log: silent, durable: false, ...(port === undefined ? {} : { port }) })

async function query<Row extends pg.QueryResultRow>(url: string, sql: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Row>(sql)).rows
  } finally {
    await client.end()
  }
}

const postmasterPid = async () =>
  Number((await readFile(path.join(dataDir, 'postgres/cluster/postmaster.pid'), 'utf8')).split('\n')[0])

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Another process that uses the server, until it is told to leave. */
async function startProcess(ids: { uid?: number; gid?: number } = {}) {
  const script = fileURLToPath(new URL('embedded-process.mjs', import.meta.url))
  const child = spawn(process.execPath, [script, dataDir], {
    ...ids,
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  return { child, ...(JSON.parse(line) as { url: string; reused: boolean }) }
}

async function leave(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  child.stdin!.end()
  expect(await exited).toEqual([0, null])
}

describe('an embedded PostgreSQL', () => {
  test('runs PostgreSQL 18 with UTF-8 and UTC, for this machine and who knows the password only', async () => {
    await using server = await start()
    expect(server.reused).toBe(false)
    const [facts] = await query(
      server.url,
      `select current_setting('server_version_num')::int / 10000 as major, current_setting('server_encoding') as encoding,
              current_setting('timezone') as timezone, current_setting('listen_addresses') as listens,
              current_setting('unix_socket_directories') as sockets, current_database() as database`,
    )
    expect(facts).toEqual({
      major: 18,
      encoding: 'UTF8',
      timezone: 'UTC',
      listens: '127.0.0.1',
      sockets: '',
      database: 'nograd',
    })
    const { mode } = await stat(path.join(dataDir, 'postgres/password'))
    expect((mode & 0o777).toString(8)).toBe('600')
    const url = new URL(server.url)
    url.password = 'wrong'
    await expect(query(url.href, 'select')).rejects.toThrow('password authentication failed')
  })

  test('keeps its data, and its password, from one start to the next', async () => {
    let url: string
    {
      await using server = await start()
      ;({ url } = server)
      await query(url, 'create table kept as select 42 as answer')
    }
    await expect(query(url, 'select')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await using server = await start()
    expect(new URL(server.url).password).toBe(new URL(url).password)
    expect(await query(server.url, 'table kept')).toEqual([{ answer: 42 }])
  })

  test('is shared by all who use the same folder, and stopped by the last of them', async () => {
    const first = await start()
    const pid = await postmasterPid()
    const second = await startProcess()
    const third = await start()
    expect([second.reused, third.reused]).toEqual([true, true])
    expect([second.url, third.url]).toEqual([first.url, first.url])
    await first[Symbol.asyncDispose]()
    await first[Symbol.asyncDispose]()
    await third[Symbol.asyncDispose]()
    expect(await query(second.url, 'select 1 as one')).toEqual([{ one: 1 }])
    await leave(second.child)
    await until('the stop', () => !isAlive(pid))
  })

  test('is started once when several start it at the same time', async () => {
    const all = await Promise.all([start(), startProcess(), startProcess(), start()])
    expect(new Set(all.map((one) => one.url)).size).toBe(1)
    expect(all.filter((one) => !one.reused)).toHaveLength(1)
    for (const one of all) await ('child' in one ? leave(one.child) : one[Symbol.asyncDispose]())
  })

  test('survives the process that started it, and is stopped by the next', async () => {
    const killed = await startProcess()
    await query(killed.url, 'create table kept as select 42 as answer')
    killed.child.kill('SIGKILL')
    await once(killed.child, 'exit')
    const pid = await postmasterPid()
    const next = await start()
    expect([next.reused, next.url]).toEqual([true, killed.url])
    expect(await query(next.url, 'table kept')).toEqual([{ answer: 42 }])
    await next[Symbol.asyncDispose]()
    await until('the stop', () => !isAlive(pid))
  })

  test('comes back when the server itself was killed, with all that was committed', async () => {
    const durable = { dataDir, log: silent }
    const first = await startEmbeddedPostgres(durable)
    await query(first.url, 'create table kept as select 42 as answer')
    const pid = await postmasterPid()
    process.kill(pid, 'SIGKILL')
    await until('the death', () => !isAlive(pid))
    await first[Symbol.asyncDispose]()
    await using second = await startEmbeddedPostgres(durable)
    expect(second.reused).toBe(false)
    expect(await query(second.url, 'table kept')).toEqual([{ answer: 42 }])
  })

  test('starts when its lock file names a process that is none of its own', async () => {
    await (await start())[Symbol.asyncDispose]()
    const stranger = spawn('sleep', ['60'])
    const file = path.join(dataDir, 'postgres/cluster/postmaster.pid')
    await writeFile(file, `${stranger.pid}\n${path.dirname(file)}\n0\n1\n\n127.0.0.1\n\nready\n`)
    try {
      await using server = await start()
      expect(server.reused).toBe(false)
    } finally {
      stranger.kill()
    }
  })

  test('says what to do about a folder of another version', async () => {
    await (await start())[Symbol.asyncDispose]()
    await writeFile(path.join(dataDir, 'postgres/cluster/PG_VERSION'), '16\n')
    await expect(start()).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('made by PostgreSQL 16'),
    })
  })

  test('says that a port is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo
    await expect(start(port)).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining(`port ${port} is taken`),
    })
    taken.close()
    await once(taken, 'close')
    await using server = await start(port)
    expect(new URL(server.url).port).toBe(String(port))
  })

  test('shows what the server said when it does not start', async () => {
    await (await start())[Symbol.asyncDispose]()
    await writeFile(path.join(dataDir, 'postgres/cluster/postgresql.auto.conf'), 'no_such_setting = 1\n')
    await expect(start()).rejects.toThrow(/unrecognized configuration parameter "no_such_setting"/)
  })

  test('is not disturbed by what an interrupted start left behind', async () => {
    const leftover = path.join(dataDir, 'postgres.0123456789ab')
    await mkdir(leftover, { recursive: true })
    await writeFile(path.join(leftover, 'password'), 'half')
    await using server = await start()
    expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }])
  })

  const asNobody = isRoot ? test : test.skip
  asNobody('is run by an ordinary user as itself', async () => {
    const nobody = { uid: 65534, gid: 65534 }
    await mkdir(dataDir)
    await chmod(path.dirname(dataDir), 0o755)
    await chown(dataDir, nobody.uid, nobody.gid)
    const server = await startProcess(nobody)
    expect((await stat(path.join(dataDir, 'postgres/cluster'))).uid).toBe(nobody.uid)
    expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }])
    await leave(server.child)
  })
})

async function until(what: string, happened: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000
  while (!happened()) {
    if (performance.now() > deadline) throw new Error(`${what} did not happen in 10 s`)
    await delay(20)
  }
}
