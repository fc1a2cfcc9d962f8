import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { announcePlatform, findRunningPlatform } from '../../src/main/platform-file.ts'
import { platformUsers, usePlatform } from '../../src/main/platform-users.ts'
import { runNode } from '../setup/clone.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nograd-users-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const deadPid = async (): Promise<number> => Number((await runNode(['-p', 'process.pid'], folder)).stdout)

test('who uses a platform: those that live and did not say that they are done', async () => {
  expect(await platformUsers(folder)).toEqual([])
  const use = await usePlatform(folder)
  writeFileSync(join(folder, 'users', String(await deadPid())), '')
  expect(await platformUsers(folder)).toEqual([process.pid])
  await use[Symbol.asyncDispose]()
  expect(await platformUsers(folder)).toEqual([])
})

describe('the platform that runs', () => {
  let server: Server
  let url = ''
  let answer = ''
  beforeEach(async () => {
    answer = '{"ok":true}'
    server = createServer((_request, response) => response.end(answer)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterEach(() => void server.close())
  const file = (pid: number): { pid: number; url: string; startedAt: string } => ({ pid, url, startedAt: 'now' })

  test('is found while it is announced', async () => {
    expect(await findRunningPlatform(folder)).toBeNull()
    const announcement = await announcePlatform(folder, file(process.pid))
    expect(await findRunningPlatform(folder)).toEqual(file(process.pid))
    await announcement[Symbol.asyncDispose]()
    expect(await findRunningPlatform(folder)).toBeNull()
  })

  test('is not one whose process died, or whose port another program has by now', async () => {
    await announcePlatform(folder, file(await deadPid()))
    expect(await findRunningPlatform(folder)).toBeNull()
    await announcePlatform(folder, file(process.pid))
    answer = '<html>'
    expect(await findRunningPlatform(folder)).toBeNull()
  })

  test('is not one whose file is damaged', async () => {
    writeFileSync(join(folder, 'platform.json'), '{"pid": 1')
    expect(await findRunningPlatform(folder)).toBeNull()
    writeFileSync(join(folder, 'platform.json'), '{"pid": -1, "url": "", "startedAt": ""}')
    expect(await findRunningPlatform(folder)).toBeNull()
  })

  test('does not take back the announcement of the next one', async () => {
    const first = await announcePlatform(folder, file(process.pid))
    await announcePlatform(folder, file(await deadPid()))
    await first[Symbol.asyncDispose]()
    expect(existsSync(join(folder, 'platform.json'))).toBe(true)
  })
})
