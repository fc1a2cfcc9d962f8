import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DEFAULT_CHECKPOINT_LIMITS } from '../../src/checkpoint/index.ts'
import { fileSource } from '../../src/container/index.ts'
import { openDatasetFile } from '../../src/usecase/open-dataset-file.ts'
import { columnNumbers } from '../dataset/make-files.ts'
import { pythonHas, runPython } from './python.ts'

const WRITE = `
import sys, torch
from torch.utils.data import TensorDataset
folder = sys.argv[1]
x, y = torch.arange(24.0).reshape(4, 2, 3).transpose(1, 2), torch.tensor([0, 1, 2, 1])
torch.save({"x": x, "y": y}, folder + "/dict.pt")
torch.save(TensorDataset(x, y).tensors, folder + "/tuple.pt")
torch.save((x, y), folder + "/legacy.pt", _use_new_zipfile_serialization=False)
torch.save({"x": x.to(torch.float16), "y": y, "hospital": torch.tensor([5, 5, 7, 7])}, folder + "/half.pt")
torch.save(TensorDataset(x, y), folder + "/object.pt")
torch.save({"epoch": 3}, folder + "/none.pt")
`

const describeWithTorch = pythonHas('torch') ? describe : describe.skip

describeWithTorch('torch.save', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nograd-pt-'))
  beforeAll(() => void runPython(WRITE, null, [folder]))
  afterAll(() => rmSync(folder, { recursive: true }))
  const open = async (name: string) =>
    openDatasetFile(await fileSource(join(folder, name)), {}, DEFAULT_CHECKPOINT_LIMITS)

  test.each(['dict.pt', 'tuple.pt', 'legacy.pt', 'half.pt'])('writes %s, and its tensors are columns', async (name) => {
    await using file = await open(name)
    expect(file).toMatchObject({ format: 'torch', rows: 4 })
    const [x, y, more] = file.columns
    expect(x).toEqual({ name: 'x', role: 'FEATURE', dtype: name === 'half.pt' ? 'float16' : 'float32', shape: [3, 2] })
    expect(y).toEqual({ name: 'y', role: 'LABEL', dtype: 'int64', shape: [] })
    if (name !== 'half.pt') expect((await columnNumbers(file, 0)).slice(0, 8)).toEqual([0, 3, 1, 4, 2, 5, 6, 9])
    expect(await columnNumbers(file, 1)).toEqual([0, 1, 2, 1])
    if (name === 'half.pt') expect(more).toMatchObject({ name: 'hospital', role: 'SLICE' })
  })

  test('an object is refused by its class, and a file without tensors is', async () => {
    await expect(open('object.pt')).rejects.toMatchObject({
      code: 'CHECKPOINT_UNSAFE_GLOBAL',
      message: expect.stringContaining('TensorDataset'),
    })
    await expect(open('none.pt')).rejects.toMatchObject({
      code: 'DATASET_UNSUPPORTED',
      message: expect.stringContaining('a tuple (x, y) is expected'),
    })
  })
})
