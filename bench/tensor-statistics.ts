// MB/s of tensor statistics on one core, against numpy on the same arrays. `npm run bench:tensor-statistics`
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tensorStatistics } from '../src/statistics/index.ts'
import type { DType } from '../src/tensor/index.ts'
import { printTable } from './table.ts'

const ELEMENTS = Number(process.argv[2] ?? 16) * 2 ** 20
const ROUNDS = Number(process.argv[3] ?? 3)
const PYTHON = process.env['NOGRAD_PYTHON'] ?? 'python3'
const BINS = 64

/** About normal, as weights are. */
const values = Float64Array.from({ length: ELEMENTS }, () => Math.random() + Math.random() + Math.random() - 1.5)
const arrays = {
  float32: Float32Array.from(values),
  float64: values,
  float16: Uint16Array.from(values, (value) => 0x3000 + ((value * 2048) & 0x8fff)),
  bfloat16: Uint16Array.from(values, (value) => 0x3c00 + ((value * 512) & 0x81ff)),
  int64: BigInt64Array.from(values, (value) => BigInt(Math.round(value * 1e6))),
  int8: Int8Array.from(values, (value) => value * 80),
} satisfies Partial<Record<DType, unknown>>

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 2 ** 20) yield await Promise.resolve(bytes.subarray(at, at + 2 ** 20))
}

async function speedOf(dtype: DType, array: ArrayBufferView): Promise<number> {
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
  let best = Infinity
  for (let round = 0; round < ROUNDS; round++) {
    // Time of the processor and not of the clock: what else the machine does is not counted.
    const begin = process.cpuUsage()
    await tensorStatistics(dtype, ELEMENTS, () => pieces(bytes))
    const { user, system } = process.cpuUsage(begin)
    best = Math.min(best, (user + system) / 1e3)
  }
  return bytes.length / best / 1e3
}

function numpySpeeds(): Readonly<Record<string, number>> | null {
  const folder = mkdtempSync(join(tmpdir(), 'nograd-bench-'))
  try {
    const dtypes = Object.keys(arrays).filter((dtype) => dtype !== 'bfloat16')
    for (const dtype of dtypes) writeFileSync(join(folder, `${dtype}.bin`), arrays[dtype as keyof typeof arrays])
    const script = new URL('tensor-statistics.py', import.meta.url).pathname
    const environment = { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' }
    const args = [script, folder, dtypes.join(','), String(ROUNDS), String(BINS)]
    return JSON.parse(execFileSync(PYTHON, args, { encoding: 'utf8', env: environment })) as Record<string, number>
  } catch (error) {
    const [line] = String((error as { stderr?: string }).stderr ?? error)
      .trim()
      .split('\n')
      .slice(-1)
    process.stderr.write(`numpy was not measured: ${line}\n`)
    process.stderr.write(
      `Install it with \`${PYTHON} -m pip install numpy\`, or name another Python in NOGRAD_PYTHON.\n`,
    )
    return null
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const [processor] = readFileSync('/proc/cpuinfo', 'utf8').match(/(?<=model name\s*: ).*/) ?? ['unknown processor']
const peer = numpySpeeds()
const rows: string[][] = []
for (const [dtype, array] of Object.entries(arrays)) {
  const ours = await speedOf(dtype as DType, array)
  const theirs = peer?.[dtype]
  rows.push([
    dtype,
    ours.toFixed(0),
    (ours / (array.byteLength / ELEMENTS)).toFixed(0),
    theirs === undefined ? '–' : theirs.toFixed(0),
    theirs === undefined ? '–' : (ours / theirs).toFixed(2),
  ])
}
printTable(
  [
    `${ELEMENTS / 2 ** 20} Mi elements, ${processor}`,
    'nograd MB/s of a core',
    'Melements/s',
    'numpy MB/s of a core',
    'nograd ÷ numpy',
  ],
  rows,
)
