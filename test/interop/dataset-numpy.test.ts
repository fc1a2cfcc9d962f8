import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileSource } from '../../src/container/index.ts'
import { openDataset } from '../../src/dataset/index.ts'
import { columnBytes } from '../dataset/make-files.ts'
import { pythonHas, runPython } from './python.ts'

/** One file that numpy wrote, and the bytes that it has in mind. */
interface Written {
  readonly file: string
  readonly rows: number
  readonly dtype: string
  readonly shape: readonly number[]
  readonly x: string
  readonly y: string
  readonly names: readonly string[] | null
}

const WRITE = `
import hashlib, json, pathlib, sys
import numpy as np
folder = pathlib.Path(sys.argv[1])
rng = np.random.default_rng(11)
written = []

def sha(a):
    dense = np.ascontiguousarray(a)
    return hashlib.sha256(dense.astype(dense.dtype.newbyteorder("<")).tobytes()).hexdigest()

for i in range(120):
    kind = rng.choice(["b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"])
    shape = [int(n) for n in rng.integers(1, [400, 9, 7, 5][: rng.integers(1, 5)])]
    x = (rng.standard_normal(shape) * 100).astype(kind) if kind[0] in "f" else rng.integers(0, 2 if kind == "b1" else 120, shape).astype(kind)
    x = x.astype(x.dtype.newbyteorder(rng.choice(["<", ">"])))
    if rng.random() < 0.5:
        x = np.asfortranarray(x)
    names = None
    y = rng.integers(0, 5, shape[0])
    expected = y
    if i % 3 == 0:
        words = np.array(["ant", "bee", "Cäsar", "dog \\U0001f436", "e"])
        if rng.random() < 0.5:
            y = words[y].astype(words.dtype.newbyteorder(rng.choice(["<", ">"])))
            names, expected = np.unique(y.astype(words.dtype), return_inverse=True)
        else:
            y = np.char.encode(words[y], "utf-8")
            names, expected = np.unique(np.char.decode(y, "utf-8"), return_inverse=True)
        names, expected = names.tolist(), expected.astype(np.int64)
    file = folder / f"{i}.npz"
    (np.savez if rng.random() < 0.5 else np.savez_compressed)(file, x=x, y=y)
    written.append({"file": str(file), "rows": shape[0], "dtype": x.dtype.name, "shape": shape[1:], "x": sha(x), "y": sha(expected), "names": names})
print(json.dumps(written))
`

const describeWithNumpy = pythonHas('numpy') ? describe : describe.skip

describeWithNumpy('numpy', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nograd-npz-'))
  let written: Written[]
  beforeAll(() => {
    written = JSON.parse(runPython(WRITE, null, [folder])) as Written[]
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  test('writes 120 arrays of every dtype, byte order, order and compression, and each is read as it was meant', async () => {
    expect(new Set(written.map(({ dtype }) => dtype)).size).toBe(12)
    for (const { file: path, rows, dtype, shape, x, y, names } of written) {
      await using source = await fileSource(path)
      await using file = await openDataset(source)
      expect({ path, rows: file.rows, ...file.columns[0] }).toEqual({
        path,
        rows,
        name: 'x',
        role: 'FEATURE',
        dtype,
        shape,
      })
      expect(file.columns.find(({ role }) => role === 'LABEL')!.names ?? null).toEqual(names)
      for (const [index, sha256] of [x, y].entries())
        expect(
          createHash('sha256')
            .update((await columnBytes(file, index)).bytes)
            .digest('hex'),
        ).toBe(sha256)
    }
  })
})
