import { expect, test } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { operatorsDocument } from '../../src/main/operators-document.ts'

/** Without what prettier does to tables. */
const words = (text: string): string => text.replaceAll(/\s+/g, ' ').replaceAll(/-{3,}/g, '---')

test('docs/operators.md is the tables (npm run docs:operators)', () => {
  const file = readFileSync(new URL('../../docs/operators.md', import.meta.url), 'utf8')
  expect(words(file)).toBe(words(operatorsDocument()))
})
