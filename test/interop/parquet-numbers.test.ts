import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileSource } from '../../src/container/index.ts'
import { DEFAULT_DATASET_LIMITS } from '../../src/dataset/index.ts'
import { parquetTable } from '../../src/dataset/parquet-table.ts'
import { randomOf } from '../fuzz/random.ts'
import { pythonHas, runPython } from './python.ts'

/** A file that pyarrow wrote; its columns as float64, NaN for nothing, lie beside it one after the other. */
interface Written {
  readonly file: string
  readonly rows: number
  readonly names: readonly string[]
}

const WRITE = `
import json, pathlib, sys
import numpy as np, pyarrow as pa, pyarrow.parquet as pq
folder = pathlib.Path(sys.argv[1])
rng = np.random.default_rng(3)
written = []
KINDS = {
    "f32": pa.float32(), "f64": pa.float64(), "i8": pa.int8(), "i16": pa.int16(), "i32": pa.int32(), "i64": pa.int64(),
    "u8": pa.uint8(), "u32": pa.uint32(), "u64": pa.uint64(), "bool": pa.bool_(),
}
codecs = ["snappy", "zstd", "gzip", "brotli", "lz4", "none"]
for case in range(36):
    rows = int(rng.choice([1, 9, 1000, 30001]))
    columns, truth = {}, []
    for name, kind in KINDS.items():
        few = rng.random() < 0.5
        top = {"i8": 127, "u8": 255, "i16": 32767, "bool": 2}.get(name, 40 if few else 2**31 - 1)
        low = -top if name[0] == "i" else 0
        values = rng.integers(low, top, rows) if name[0] != "f" else rng.standard_normal(40 if few else rows)[rng.integers(0, 40 if few else rows, rows)]
        if name == "i64" and not few: values = values * 4_000_000
        missing = rng.random(rows) < [0, 0, 0.3, 1][int(rng.integers(0, 4))]
        array = pa.array(values.astype({"bool": bool}.get(name, values.dtype)), type=kind, mask=missing, safe=False)
        required = not missing.any() and rng.random() < 0.5
        columns[name] = (array, pa.field(name, kind, nullable=not required))
        truth.append(np.array([np.nan if v is None else float(v) for v in array.to_pylist()], dtype=np.float64))
    table = pa.table([array for array, _ in columns.values()], schema=pa.schema([field for _, field in columns.values()]))
    file = folder / f"{case}.parquet"
    dictionary = bool(rng.random() < 0.6)
    other = {} if dictionary or case % 3 else {"column_encoding": {"f32": "BYTE_STREAM_SPLIT", "f64": "BYTE_STREAM_SPLIT", "i32": "DELTA_BINARY_PACKED", "i64": "DELTA_BINARY_PACKED"}}
    pq.write_table(table, file, compression=codecs[case % 6], use_dictionary=dictionary, data_page_version=["1.0", "2.0"][case // 6 % 2],
        row_group_size=int(rng.choice([7, 8000, 100000])) if rows < 5000 else 9000, data_page_size=int(rng.choice([500, 1 << 20])), **other)
    with open(f"{file}.truth", "wb") as out:
        for values in truth: out.write(values.tobytes())
    written.append({"file": str(file), "rows": rows, "names": list(columns)})
print(json.dumps(written))
`

/** By index, every number of every column. */
async function numbersOf(file: string): Promise<Float64Array[]> {
  await using source = await fileSource(file)
  const table = await parquetTable(source, DEFAULT_DATASET_LIMITS)
  const parts: number[][] = table.names.map(() => [])
  const all = table.names.map((_, i) => i)
  for await (const batch of table.batches(all))
    for (const index of all) for (const value of Array.from(await batch.numbers(index))) parts[index]!.push(value)
  return parts.map((part) => Float64Array.from(part))
}

const describeIf = pythonHas('pyarrow') ? describe : describe.skip
describeIf('Parquet that pyarrow writes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nograd-parquet-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  let written: readonly Written[] = []
  beforeAll(() => {
    written = JSON.parse(runPython(WRITE, null, [folder])) as Written[]
  }, 120_000)

  test('has the same numbers, of every type, encoding, codec and version of pages, with and without gaps', async () => {
    expect(written).toHaveLength(36)
    for (const { file, rows, names } of written) {
      const truth = readFileSync(`${file}.truth`)
      const found = await numbersOf(file)
      for (const [i, name] of names.entries()) {
        const expected = new Float64Array(
          truth.buffer.slice(truth.byteOffset + 8 * rows * i, truth.byteOffset + 8 * rows * (i + 1)),
        )
        const at = expected.findIndex((value, row) => !Object.is(value, found[i]![row]))
        if (found[i]!.length !== rows || at !== -1)
          throw new Error(`${file}, ${name}, row ${at} of ${found[i]!.length}: ${found[i]![at]}, not ${expected[at]}`)
      }
    }
  })

  test('is refused or read where bytes of it are changed, and nothing else happens', async () => {
    const random = randomOf(5)
    const smallest = written.filter(({ rows }) => rows === 1000).slice(0, 6)
    expect(smallest.length).toBeGreaterThan(2)
    const changed = join(folder, 'changed.parquet')
    let refused = 0
    for (const { file } of smallest) {
      const bytes = readFileSync(file)
      for (let i = 0; i < 60; i++) {
        const copy = Buffer.from(bytes)
        for (let k = 0; k < 3; k++) copy[4 + random.below(copy.length - 12)] = random.below(256)
        writeFileSync(changed, copy)
        try {
          await numbersOf(changed)
        } catch (error) {
          refused++
          expect((error as { code?: string }).code).toMatch(/^(DATASET_CORRUPT|DATASET_UNSUPPORTED|LIMIT_EXCEEDED)$/)
        }
      }
    }
    expect(refused).toBeGreaterThan(20)
  })
})
