import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { CLI_CODES } from '../../src/cli/index.ts'
import { ERROR_CODES } from '../../src/error.ts'

const page = readFileSync(new URL('../../docs/command-line.md', import.meta.url), 'utf8')

test.each(Object.keys(CLI_CODES))('docs/command-line.md says what %s is', (code) => {
  expect(page).toContain(`- \`${code}\`: `)
})

test('codes of the command line and of the platform are different ones', () => {
  expect(Object.keys(CLI_CODES).filter((code) => code in ERROR_CODES)).toEqual([])
})
