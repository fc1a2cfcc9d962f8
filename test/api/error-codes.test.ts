import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { buildSchema, isEnumType } from 'graphql'
import { ERROR_CODES } from '../../src/error.ts'

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

describe('the codes of src/error.ts', () => {
  test('are those of the schema, in the same words', () => {
    const type = buildSchema(read('schema.graphql')).getType('ErrorCode')
    if (!isEnumType(type)) throw new Error('ErrorCode is no enum')
    expect(Object.fromEntries(type.getValues().map(({ name, description }) => [name, description]))).toEqual(
      ERROR_CODES,
    )
  })

  test('are those of docs/errors.md, in the same words', () => {
    const rows = [...read('docs/errors.md').matchAll(/^\| `([A-Z_]+)` +\| (.*?) +\|$/gm)]
    expect(Object.fromEntries(rows.map(([, code, meaning]) => [code, meaning]))).toEqual(ERROR_CODES)
  })
})
