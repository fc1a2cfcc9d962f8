import { describe, expect, test } from '@jest/globals'
import { parse, validate } from 'graphql'
import { createSchema } from '../../src/api/schema.ts'
import { startTestApi } from './api/server.ts'

describe('the explorer', () => {
  test('is one page that loads nothing from anywhere, with a first query that the schema knows', async () => {
    await using api = await startTestApi({ development: true })
    const response = await fetch(`${api.url}/explorer`)
    const page = await response.text()
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(response.headers.get('content-encoding')).toBe('gzip')
    const policy = response.headers.get('content-security-policy')!
    expect(policy).toContain("default-src 'none'")
    expect(policy).not.toMatch(/https?:\/\//)
    expect(page).not.toMatch(/<(script|link|img)[^>]+(src|href)="https?:/)
    const options = JSON.parse(
      /renderYogaGraphiQL\(\s*window\.document\.querySelector\('#root'\),\s*(\{.*\}),\s*\);/.exec(page)![1]!,
    ) as { defaultQuery: string; endpoint: string }
    expect(options.endpoint).toBe('/graphql')
    expect(validate(createSchema(), parse(options.defaultQuery))).toEqual([])
  })
})
