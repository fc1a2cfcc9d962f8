import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { describe, expect, test } from '@jest/globals'
import { forwardLog } from '../../src/main/forward-log.ts'
import { openLog, secretsOf, withoutSecrets } from '../../src/main/log.ts'

class Screen extends Writable {
  text = ''
  readonly isTTY: boolean
  constructor(isTTY: boolean) {
    super()
    this.isTTY = isTTY
  }
  override _write(piece: Buffer, _encoding: string, done: () => void): void {
    this.text += piece.toString()
    done()
  }
}

describe('lines', () => {
  test('for people on a terminal, from its level; JSON of everything in the file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'nograd-log-'))
    const path = join(folder, 'logs', 'nograd.log')
    const stream = new Screen(true)
    const log = openLog({
      role: 'start',
      output: { stream, level: 'warn' },
      file: { path, level: 'info' },
      secrets: [],
    })
    log.debug('nobody')
    log.info({ url: 'http://x' }, 'ready')
    log.warn({ pid: 7 }, 'the worker died')
    log.error({ err: new Error('no space left') }, 'the sample failed')
    expect(stream.text).toMatch(
      /^\d\d:\d\d:\d\d warn start: the worker died \(pid=7\)\n\d\d:\d\d:\d\d error start: the sample failed: no space left\n$/,
    )
    const lines = readFileSync(path, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object)
    expect(lines).toEqual([
      { level: 30, time: expect.any(Number), role: 'start', url: 'http://x', msg: 'ready' },
      { level: 40, time: expect.any(Number), role: 'start', pid: 7, msg: 'the worker died' },
      expect.objectContaining({ level: 50, err: expect.objectContaining({ message: 'no space left' }) }),
    ])
    rmSync(folder, { recursive: true })
  })

  test('JSON where nobody looks', () => {
    const stream = new Screen(false)
    openLog({ role: 'api', output: { stream, level: 'info' }, file: null, secrets: [] }).info('ready')
    expect(JSON.parse(stream.text)).toMatchObject({ level: 30, role: 'api', msg: 'ready' })
  })

  test('of the worker process keep their level and role; what a native library says is a warning', () => {
    const stream = new Screen(false)
    const log = openLog({ role: 'start', output: { stream, level: 'info' }, file: null, secrets: [] })
    forwardLog('{"level":50,"time":1,"role":"worker","run":"r","msg":"failed"}', log)
    forwardLog('[W:onnxruntime] a node was not placed', log)
    forwardLog('', log)
    const lines = stream.text.trim().split('\n')
    expect(lines.map((line) => JSON.parse(line) as object)).toEqual([
      { level: 50, time: expect.any(Number), role: 'worker', run: 'r', msg: 'failed' },
      { level: 40, time: expect.any(Number), role: 'worker', msg: '[W:onnxruntime] a node was not placed' },
    ])
    expect(lines[0]?.match(/"role"/g)).toHaveLength(1)
  })
})

describe('secrets', () => {
  const url = 'postgresql://nograd:p%40ss%2Fword@db:5432/nograd'

  test('never reach a line, as they are written or as they are meant', () => {
    const stream = new Screen(false)
    const log = openLog({ role: 'api', output: { stream, level: 'info' }, file: null, secrets: secretsOf(url) })
    log.error(
      { err: new Error(`cannot connect to ${url}`), databaseUrl: url, config: { password: 'p@ss/word' } },
      `p@ss/word of ${url}`,
    )
    expect(stream.text).not.toMatch(/p@ss|p%40ss/)
    expect(stream.text).toContain('postgresql://nograd:***@db:5432/nograd')
  })

  test('an address that nobody told us of is hidden too', () => {
    expect(withoutSecrets([])('at postgres://a:b-c_d@host/x and https://u:pw@h, not http://h:80/@x')).toBe(
      'at postgres://a:***@host/x and https://u:***@h, not http://h:80/@x',
    )
  })

  test('no password, no address: nothing to hide', () => {
    expect(secretsOf(null)).toEqual([])
    expect(secretsOf('postgresql://localhost/x')).toEqual([])
  })
})
