import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileSource } from '../../src/container/index.ts'
import { openDataset } from '../../src/dataset/index.ts'
import { columnBytes } from '../dataset/make-files.ts'
import { pythonHas, runPython } from './python.ts'

/** A file that pandas wrote, and the bytes of the columns as it has them. */
interface Written {
  readonly file: string
  readonly rows: number
  /** By name: the SHA-256 of the bytes. */
  readonly columns: Readonly<Record<string, string>>
  readonly names: Readonly<Record<string, readonly string[]>>
}

const WRITE = `
import hashlib, json, pathlib, sys, zipfile
import numpy as np, pandas as pd, pyarrow as pa, pyarrow.feather as feather, pyarrow.parquet as pq
folder = pathlib.Path(sys.argv[1])
rng = np.random.default_rng(7)
written = []
sha = lambda a: hashlib.sha256(np.ascontiguousarray(a).tobytes()).hexdigest()

def codes(column):
    names, found = np.unique(column.fillna("").to_numpy(dtype=str), return_inverse=True)
    return names.tolist(), found.astype(np.int64)

def note(file, frame):
    hospital_names, hospital = codes(frame["hospital"])
    label_names, label = codes(frame["label"])
    features = frame[["a", "b", "c"]].to_numpy(dtype=np.float32)
    written.append({
        "file": str(file), "rows": len(frame),
        "columns": {"x": sha(features), "label": sha(label), "hospital": sha(hospital), "weight": sha(frame["weight"].to_numpy(np.float64))},
        "names": {"label": label_names, "hospital": hospital_names},
    })

for i in range(12):
    n = int(rng.choice([1, 7, 1000, 70001]))
    frame = pd.DataFrame({
        "a": rng.standard_normal(n), "b": rng.standard_normal(n).astype(np.float32), "c": rng.integers(-1000, 1000, n),
        "label": rng.choice(["bee", "ant", "cäsar \\U0001f41d"], n), "hospital": rng.choice(["north", "south"], n),
        "weight": rng.random(n) + 0.25,
    })
    frame.loc[frame.index % 11 == 5, "hospital"] = None
    if i % 4 == 0:
        for codec in ["snappy", "zstd", "gzip", "brotli", "lz4", "none"]:
            file = folder / f"{i}-{codec}.parquet"
            frame.to_parquet(file, compression=None if codec == "none" else codec, row_group_size=20000, use_dictionary=bool(rng.random() < 0.5))
            note(file, frame)
    elif i % 4 == 1:
        file = folder / f"{i}.arrow"
        table = pa.Table.from_pandas(frame, preserve_index=False)
        feather.write_feather(table, file, compression="uncompressed", chunksize=9000)
        note(file, frame)
        stream = folder / f"{i}-stream.arrow"
        with pa.ipc.new_stream(stream, table.schema) as writer:
            writer.write_table(table, max_chunksize=5000)
        note(stream, frame)
    elif i % 4 == 2:
        for name in [f"{i}.jsonl", f"{i}-zipped.jsonl.gz"]:
            frame.to_json(folder / name, orient="records", lines=True, double_precision=15)
            note(folder / name, pd.read_json(folder / name, orient="records", lines=True, precise_float=True))
    else:
        file = folder / f"{i}.csv.gz"
        frame.to_csv(file, index=False)
        note(file, frame)
        shards = folder / f"{i}-shards.zip"
        with zipfile.ZipFile(shards, "w", zipfile.ZIP_DEFLATED) as archive:
            for k, part in enumerate(np.array_split(np.arange(n), min(3, n))):
                archive.writestr(f"part-{k}.csv", frame.iloc[part].to_csv(index=False))
        note(shards, frame)
feather.write_feather(pa.table({"a": [1.0, 2.0] * 500, "y": [0, 1] * 500}), folder / "lz4.arrow", compression="lz4")
print(json.dumps(written))
`

const describeWithPandas = pythonHas('pandas', 'pyarrow') ? describe : describe.skip

describeWithPandas('pandas and pyarrow', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nograd-tables-'))
  let written: Written[]
  beforeAll(() => {
    written = JSON.parse(runPython(WRITE, null, [folder])) as Written[]
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  test('write a compressed Arrow file, and it is said how to save it', async () => {
    await using source = await fileSource(join(folder, 'lz4.arrow'))
    await expect(openDataset(source)).rejects.toMatchObject({
      code: 'DATASET_UNSUPPORTED',
      message: expect.stringContaining('save it without compression'),
    })
  })

  test('write tables of every format and compression, and each is read as it was meant, to the bit', async () => {
    expect(written.length).toBeGreaterThan(25)
    for (const { file: path, rows, columns, names } of written) {
      await using source = await fileSource(path)
      await using file = await openDataset(source, { featureColumns: ['a', 'b', 'c'] })
      expect([path, file.rows]).toEqual([path, rows])
      const found: Record<string, string> = {}
      for (const [index, { name }] of file.columns.entries())
        found[name] = createHash('sha256')
          .update((await columnBytes(file, index)).bytes)
          .digest('hex')
      expect([path, found]).toEqual([path, expect.objectContaining(columns)])
      for (const [name, expected] of Object.entries(names))
        expect([path, file.columns.find((column) => column.name === name)!.names]).toEqual([path, expected])
    }
  })
})
