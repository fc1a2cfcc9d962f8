import { expect, test } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { denseBytes } from '../../src/checkpoint/index.ts'
import { importCheckpoint } from '../../src/usecase/index.ts'
import { loadStateDict } from '../../src/usecase/load-state-dict.ts'
import { digitsModel } from '../integration/usecase/fixture-models.ts'
import { openTestPlatform, upload } from '../integration/usecase/test-platform.ts'
import { findPython } from './python.ts'

interface Facts {
  readonly sha256: string
  readonly shape: readonly number[]
  readonly stride: readonly number[]
  readonly dtype: string
}

const python = findPython(['torch'])
const interop = python === null ? test.skip : test

interop(
  'views of large tensors, imported compactly, hold what PyTorch says, bit for bit',
  async () => {
    await using test_ = await openTestPlatform()
    const { platform } = test_
    const path = join(test_.folder, 'views.pth')
    const script = new URL('compact_views.py', import.meta.url).pathname
    const expected = JSON.parse(
      execFileSync(python!, ['-B', '-W', 'ignore', script, path], { encoding: 'utf8' }),
    ) as Readonly<Record<string, Facts>>

    const uploadId = await upload(platform, 'views.pth', new Uint8Array(await readFile(path)))
    const row = await importCheckpoint(platform, { modelId: await digitsModel(platform), uploadId })
    const stored = await loadStateDict(platform.store.prisma, row.id)
    expect([...stored.keys()]).toEqual(Object.keys(expected))
    const found: Record<string, Facts> = {}
    for (const [key, tensor] of stored) {
      const hash = createHash('sha256')
      const read = (offset: number, length: number) => platform.store.bytes.read(tensor.storageHash, { offset, length })
      for await (const piece of denseBytes(tensor, read)) hash.update(piece)
      const { shape, stride, dtype } = tensor
      found[key] = { sha256: hash.digest('hex'), shape, stride, dtype: `torch.${dtype}` }
    }
    expect(found).toEqual(expected)

    // 30 MB of file; the slices of `big` share one storage, and keep it small.
    expect(stored.get('rows')!.storageHash).toBe(stored.get('last')!.storageHash)
    expect(stored.get('rows')!.storageOffset).toBe(stored.get('rows.first')!.storageOffset)
    const { _sum } = await platform.store.prisma.storage.aggregate({ _sum: { byteLength: true } })
    expect(Number(_sum.byteLength)).toBeLessThan(0.02 * Number(row.fileBytes))
    expect(row.warnings).toEqual([
      expect.stringMatching(/^\d\d,\d{3},\d{3} bytes that no tensor reaches were left out/),
    ])
  },
  300_000,
)
