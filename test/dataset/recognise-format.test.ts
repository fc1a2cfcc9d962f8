import { describe, expect, test } from '@jest/globals'
import { bytesSource } from '../../src/container/index.ts'
import { openDataset } from '../../src/dataset/index.ts'
import { textFile } from './make-files.ts'

const bytes = (...values: number[]) => Uint8Array.from(values)

describe('a foreign file is named for what it looks like', () => {
  test.each([
    ['empty', '', 'is empty'],
    ['HTML', '\n<!DOCTYPE html>\n<html>', 'is an HTML or XML page'],
    ['XML', '<?xml version="1.0"?><Error/>', 'is an HTML or XML page'],
    [
      'a Git LFS pointer',
      'version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 1\n',
      'is a Git LFS pointer, not the file itself: fetch it with `git lfs pull`',
    ],
    ['JSON', '{"error": "not found"}', 'is JSON'],
    ['a pickle', bytes(0x80, 4, 0x95, 0, 0), 'is a Python pickle, which is never opened'],
    ['an empty zip', Buffer.concat([Buffer.from('PK\x05\x06'), Buffer.alloc(18)]), 'is an empty zip file'],
    ['a JPEG', bytes(0xff, 0xd8, 0xff, 0xe0), 'is a JPEG image'],
    ['a PNG', bytes(0x89, 0x50, 0x4e, 0x47), 'is a PNG image'],
    ['UTF-16', bytes(0xff, 0xfe, 0x61, 0), 'is UTF-16 text'],
    ['anything else', bytes(1, 2, 3, 4, 5), 'begins with the bytes 0102030405'],
    ['text by the name of an array', 'not found', 'is text: "not found"'],
  ])('%s', async (_, content, looks) => {
    const source = bytesSource('data.npz', typeof content === 'string' ? Buffer.from(content, 'latin1') : content)
    await expect(openDataset(source)).rejects.toMatchObject({
      code: 'DATASET_UNKNOWN_FORMAT',
      message: expect.stringContaining(`data.npz ${looks}`),
    })
  })
})

test('text without a telling name is a CSV', async () => {
  await using file = await openDataset(textFile('upload', 'a,y\n1,2\n'))
  expect(file.format).toBe('csv')
})
