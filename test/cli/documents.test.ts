import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { buildSchema, parse, validate } from 'graphql'
import * as comparison from '../../src/cli/compare/documents.ts'
import * as documents from '../../src/cli/documents.ts'
import * as inspection from '../../src/cli/inspect/documents.ts'
import * as storageDocuments from '../../src/cli/storage-documents.ts'

const schema = buildSchema(readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8'))
const operations = Object.entries<string>({ ...documents, ...inspection, ...comparison, ...storageDocuments })

test.each(operations)('%s fits schema.graphql', (_name, document) => {
  expect(validate(schema, parse(document)).map(({ message }) => message)).toEqual([])
})

test('there are operations', () => {
  expect(operations.length).toBeGreaterThanOrEqual(10)
})
