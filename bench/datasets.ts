// rows/s of datasets that are read, against pandas and torchvision on the same files: `npm run bench:datasets -- ROWS IMAGES`
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fileSource } from '../src/container/index.ts'
import { openDataset, type DatasetOptions } from '../src/dataset/index.ts'
import { printTable } from './table.ts'

const ROWS = Number(process.argv[2] ?? 300_000)
const IMAGES = Number(process.argv[3] ?? 400)
const PYTHON = process.env['NOGRAD_PYTHON'] ?? 'python3'

/** Seconds of the peers by the name of the file. */
type Peers = Readonly<Record<string, { readonly peer: string; readonly seconds: number }>>

const FILES: readonly (readonly [name: string, rows: number, options: DatasetOptions])[] = [
  ['table.csv', ROWS, {}],
  ['table.parquet', ROWS, {}],
  ['images.zip', IMAGES, { images: { resize: 224, centerCrop: [224, 224] } }],
]

/** Reads every byte of every column, as an import does. */
async function read(path: string, options: DatasetOptions): Promise<number> {
  const begin = performance.now()
  await using source = await fileSource(path)
  await using file = await openDataset(source, options)
  let bytes = 0
  for (const index of file.columns.keys()) for await (const piece of file.read(index)) bytes += piece.length
  if (bytes === 0) throw new Error(`${path} has no bytes`)
  return (performance.now() - begin) / 1000
}

/** Makes the files, and reads them. */
function peers(folder: string): Peers {
  const script = fileURLToPath(new URL('dataset_peers.py', import.meta.url))
  try {
    const printed = execFileSync(PYTHON, [script, folder, String(ROWS), String(IMAGES)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    return JSON.parse(printed.trim().split('\n').at(-1)!) as Peers
  } catch (error) {
    const [line] = String((error as { stderr?: string }).stderr ?? error)
      .trim()
      .split('\n')
      .slice(-1)
    process.stderr.write(
      `The files could not be made: ${line}\n` +
        `Install what makes them with \`${PYTHON} -m pip install pandas pyarrow torch torchvision\`, or name another Python in NOGRAD_PYTHON.\n`,
    )
    process.exit(1)
  }
}

const folder = mkdtempSync(join(tmpdir(), 'nograd-bench-datasets-'))
try {
  const found = peers(folder)
  const rows: string[][] = []
  for (const [name, count, options] of FILES) {
    const { peer, seconds } = found[name]!
    const own = await read(join(folder, name), options)
    const rate = (of: number): string => Math.round(count / of).toLocaleString('en-US')
    rows.push([name, count.toLocaleString('en-US'), rate(own), peer, rate(seconds), (seconds / own).toFixed(2)])
  }
  printTable(['file', 'rows', 'nograd rows/s', 'peer', 'peer rows/s', 'ratio'], rows)
  console.log(`peak memory of nograd: ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB`)
} finally {
  rmSync(folder, { recursive: true })
}
