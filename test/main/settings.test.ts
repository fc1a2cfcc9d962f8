import { readFileSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { settingsDocument } from '../../src/main/settings-document.ts'
import { SETTINGS, readSettings } from '../../src/main/settings.ts'
import { ROOT } from '../setup/clone.ts'

describe('where a value comes from', () => {
  test('the defaults', () => {
    expect(readSettings({}, {})).toMatchObject({
      ...{ host: '127.0.0.1', port: 4000, dataDir: join(ROOT, 'data'), databaseUrl: null, sample: true },
      ...{ logLevel: null, maxUploadBytes: null, allowedOrigins: [], development: true },
    })
  })

  test('a variable, and the first one of two', () => {
    expect(readSettings({}, { PORT: '8080' }).port).toBe(8080)
    expect(readSettings({}, { PORT: '8080', NOGRAD_PORT: '9090' }).port).toBe(9090)
    expect(readSettings({}, { PORT: '8080', NOGRAD_PORT: '' }).port).toBe(8080)
  })

  test('an option wins', () => {
    expect(readSettings({ port: '1', sample: false }, { NOGRAD_PORT: '2', NOGRAD_SAMPLE: '1' })).toMatchObject({
      port: 1,
      sample: false,
    })
  })

  test('a folder is absolute', () => {
    expect(isAbsolute(readSettings({ dataDir: 'here' }, {}).dataDir)).toBe(true)
  })

  test.each([
    ['NOGRAD_MAX_UPLOAD_BYTES', '1000', 'maxUploadBytes', 1000],
    ['NOGRAD_MAX_UPLOAD_BYTES', '2GiB', 'maxUploadBytes', 2 ** 31],
    ['NOGRAD_CACHE_BYTES', '512MiB', 'cacheBytes', 2 ** 29],
    ['NOGRAD_SAMPLE', 'no', 'sample', false],
    ['NODE_ENV', 'production', 'development', false],
    ['NODE_ENV', 'test', 'development', true],
    ['NOGRAD_LOG_LEVEL', 'debug', 'logLevel', 'debug'],
    [
      'NOGRAD_ALLOWED_ORIGINS',
      'https://a.example, http://b.example:3000',
      'allowedOrigins',
      ['https://a.example', 'http://b.example:3000'],
    ],
    ['DATABASE_URL', 'postgresql://u:p@h:5432/d', 'databaseUrl', 'postgresql://u:p@h:5432/d'],
  ] as const)('%s=%s', (variable, given, name, value) => {
    expect(readSettings({}, { [variable]: given })[name]).toEqual(value)
  })
})

describe('what is refused', () => {
  test.each([
    [{ NOGRAD_PORT: 'http' }, 'NOGRAD_PORT is "http"; expected: a whole number from 0 to 65535'],
    [{ PORT: '65536' }, 'PORT is "65536"; expected: a whole number from 0 to 65535'],
    [{ NOGRAD_LOG_LEVEL: 'loud' }, 'NOGRAD_LOG_LEVEL is "loud"; expected: fatal, error, warn, info, debug, trace'],
    [{ NOGRAD_ENGINE_THREADS: '0' }, 'NOGRAD_ENGINE_THREADS is "0"; expected: a whole number from 1 to 1024'],
    [
      { NOGRAD_MAX_UPLOAD_BYTES: '1GB' },
      'NOGRAD_MAX_UPLOAD_BYTES is "1GB"; expected: bytes, or KiB, MiB, GiB, TiB: 1073741824 or 1GiB',
    ],
    [
      { NOGRAD_ALLOWED_ORIGINS: 'a.example' },
      'NOGRAD_ALLOWED_ORIGINS is "a.example"; expected: origins separated by commas: https://admin.example.org',
    ],
  ])('%p', (env, message) => {
    expect(() => readSettings({}, env)).toThrow(expect.objectContaining({ code: 'BAD_INPUT', message }))
  })

  test('an option is named as it was typed', () => {
    expect(() => readSettings({ port: '-1' }, {})).toThrow('--port is "-1"; expected: a whole number from 0 to 65535')
  })

  test('a mistyped database address is not repeated: it may hold a password', () => {
    expect(() => readSettings({}, { DATABASE_URL: 'postgres:/u:secret@h/d' })).toThrow(
      'DATABASE_URL is something else; expected: postgresql://USER:PASSWORD@HOST:PORT/DATABASE',
    )
  })
})

test('docs/settings.md is the table (npm run docs:settings)', () => {
  expect(readFileSync(join(ROOT, 'docs/settings.md'), 'utf8')).toBe(settingsDocument())
})

test('a secret has no option, which other users of the machine could read', () => {
  expect(SETTINGS.databaseUrl).not.toHaveProperty('flag')
})
