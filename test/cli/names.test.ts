import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { contentName, hashFile } from '../../src/cli/names.ts'

test('a name says the file, the label, and what is in it', () => {
  expect(contentName('/models/digits_cnn.layers.json', 'multiclass', 'abc', 'multiclass', undefined)).toMatch(
    /^digits_cnn-multiclass-[0-9a-f]{12}$/,
  )
  expect(contentName('best.epoch.9.pth', null, 'abc')).toMatch(/^best\.epoch\.9-[0-9a-f]{12}$/)
})

test('equal contents have equal names, others do not', () => {
  const name = (...parts: Parameters<typeof contentName>): string => contentName(...parts)
  expect(name('/a/m.onnx', 'binary', 'x', ['no', 'yes'])).toBe(name('/b/m.onnx', 'binary', 'x', ['no', 'yes']))
  const different = [
    name('m.onnx', 'binary', 'x', ['no', 'yes']),
    name('m.onnx', 'binary', 'x', ['no,yes']),
    name('m.onnx', 'binary', 'x', undefined),
    name('m.onnx', 'binary', 'y', undefined),
  ]
  expect(new Set(different).size).toBe(different.length)
})

test('a name is never empty, too long, or unprintable', () => {
  expect(contentName('.onnx', null, 'x')).toMatch(/^file-[0-9a-f]{12}$/)
  expect(contentName(`${'n'.repeat(300)}.pth`, 'regression', 'x').length).toBeLessThanOrEqual(200)
  expect(contentName('a\u0007b.pth', null, 'x')).toMatch(/^a_b-/)
})

test('a file is hashed as it is', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nograd-names-'))
  const bytes = Buffer.alloc(3_000_001, 'nograd')
  writeFileSync(join(folder, 'file'), bytes)
  const expected = createHash('sha256').update(bytes).digest('hex')
  expect(await hashFile(join(folder, 'file'), new AbortController().signal)).toBe(expected)
  rmSync(folder, { recursive: true })
})
