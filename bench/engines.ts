// Samples/s of our engines, of a bare onnxruntime-node loop and of PyTorch, with the same models and batches in one call.
// `npm run bench:engines [-- --help]`. It needs only compiled code (dist), so that `node bench/engines.ts` (Node 22.18 or newer) runs where there is no npm.
import { execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import type * as Graphs from '../src/architecture/index.ts'
import type { ComputeDType, ParameterSource, Session, ThreadedEngine } from '../src/engine/index.ts'
import type { TensorMap } from '../src/tensor/index.ts'
import { ENGINE_MODULES, loadCompiled, openEngine } from './engine-modules.ts'
import { printTable } from './table.ts'

const USAGE = `npm run bench:engines [-- OPTIONS]
  --device cpu|webgpu|cuda|all   devices of our engines and of the bare loop (default: cpu); PyTorch is measured on cuda where one is asked for, else on cpu
  --models a,b                   only models whose name contains one of these
  --seconds S                    of each measurement (default: 2)
  --rounds N                     best of N, in turns (default: 3)
  --python PYTHON                with torch and torchvision (default: NOGRAD_PYTHON, else python3)
  --markdown FILE                writes the table there too, after each model`
const { values: options } = parseArgs({
  options: {
    device: { type: 'string', default: 'cpu' },
    models: { type: 'string', default: '' },
    seconds: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '3' },
    python: { type: 'string', default: process.env['NOGRAD_PYTHON'] ?? 'python3' },
    markdown: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

const ROOT = new URL('..', import.meta.url)
const HEAD = [
  'model',
  'engine',
  'device',
  'computes in',
  'samples/s',
  'bare loop',
  '÷ bare',
  'PyTorch',
  '÷ PyTorch',
  'largest Δlogit',
]

type Architecture = typeof Graphs
interface Prepared {
  readonly keys: Readonly<
    Record<string, { readonly shape: number[]; readonly offset: number; readonly length: number }>
  >
  readonly x: readonly number[]
  readonly y: readonly number[]
}

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'nograd-bench-engines-'))
  const engines: ThreadedEngine[] = []
  const torch = await prepare(folder)
  try {
    for (const module of ENGINE_MODULES) {
      const engine = await openEngine(module)
      if (engine !== null) engines.push(engine)
    }
    const rows: string[][] = []
    const wanted = options.models.split(',')
    for (const model of torch.models.filter((name) => wanted.some((part) => name.includes(part)))) {
      rows.push(...(await measure(join(folder, model), model, engines, torch)))
      if (options.markdown) await writeFile(options.markdown, markdown(rows, torch))
    }
    printTable(HEAD, rows)
    process.stdout.write(footnote(torch))
  } finally {
    torch.close()
    for (const engine of engines) await engine[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  }
  // Dawn keeps threads of its own.
  process.exit(0)
}

/** A session of ours that is measured. */
interface Subject {
  readonly engine: string
  readonly device: string
  readonly dtype: ComputeDType
  readonly session: Session
  readonly difference: number
  best: number
}

async function measure(
  path: string,
  model: string,
  engines: readonly ThreadedEngine[],
  torch: Torch,
): Promise<string[][]> {
  const prepared = JSON.parse(await readFile(`${path}.json`, 'utf8')) as Prepared
  const x = floats(await readFile(`${path}.x`))
  const y = floats(await readFile(`${path}.y`))
  const { computeInFloat16, graphFromOnnx } = (await loadCompiled('architecture/index.js')) as Architecture
  const graph = graphFromOnnx(await readFile(`${path}.onnx`))
  const parameters: ParameterSource = new Map(
    graph.parameters.flatMap(({ name, keys }) => {
      const at = prepared.keys[keys[0]!]
      return at === undefined ? [] : [[name, { ...at, dtype: 'float32', path: `${path}.weights` }] as const]
    }),
  )
  const halves: ParameterSource = new Map(
    [...parameters].map(([name, { shape, offset, length }]) => [
      name,
      { dtype: 'float16', shape, path: `${path}.weights16`, offset: offset / 2, length: length / 2 },
    ]),
  )
  const loadable = {
    float32: () => [graph, parameters] as const,
    float16: () => [computeInFloat16(graph), halves] as const,
  }
  const feeds = (): TensorMap =>
    new Map([[graph.inputs[0]!.name, { dtype: 'float32', shape: prepared.x, data: x.slice() }]])
  const rows: string[][] = []
  const subjects: Subject[] = []
  for (const engine of engines)
    for (const { id, computeDTypes } of await engine.devices())
      for (const dtype of computeDTypes) {
        if (options.device !== 'all' && id.split(':')[0] !== options.device) continue
        say(`${model}: loading on ${engine.name} ${id} in ${dtype}`)
        try {
          const session = await engine.load(...loadable[dtype](), id, { threads: availableParallelism() })
          const { outputs } = await session.run(feeds())
          const logits = outputs.get(graph.outputs[0]!.name)!.data as Float32Array
          subjects.push({ engine: engine.name, device: id, dtype, session, difference: difference(logits, y), best: 0 })
        } catch (error) {
          rows.push([model, engine.name, id, dtype, (error as Error).message.slice(0, 60), '', '', '', '', ''])
        }
      }
  const bare = new Map<string, number>()
  let peers: Record<string, number> = {}
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const subject of subjects) {
      say(`${model}: round ${round + 1}, ${subject.engine} ${subject.device} ${subject.dtype}`)
      subject.best = Math.max(subject.best, await speed(subject.session, feeds, prepared.x[0]!))
    }
    for (const device of new Set(subjects.filter(({ engine }) => engine === 'onnxruntime').map((one) => one.device))) {
      say(`${model}: round ${round + 1}, bare loop ${device}`)
      bare.set(device, Math.max(bare.get(device) ?? 0, await bareSpeed(path, prepared.x, device)))
    }
    say(`${model}: round ${round + 1}, PyTorch`)
    for (const [variant, rate] of Object.entries(await torch.rates(model)))
      peers = { ...peers, [variant]: Math.max(peers[variant] ?? 0, rate) }
  }
  const full = Object.entries(peers).filter(([variant]) => variant === 'float32' || variant === 'channels_last')
  const best = full.toSorted((a, b) => b[1] - a[1])[0]
  const others = Object.entries(peers).filter(([variant]) => variant !== best?.[0])
  const peerText = [...(best ? [best] : []), ...others].map(([variant, rate]) => `${round(rate)} ${variant}`).join(', ')
  for (const subject of subjects) {
    // The bare loop computes in float32.
    const loop = subject.dtype === 'float32' ? bare.get(subject.device) : undefined
    const peer = subject.dtype === 'float32' ? best?.[1] : peers[subject.dtype]
    rows.push([
      ...[model, subject.engine, subject.device, subject.dtype, round(subject.best)],
      ...(loop === undefined ? ['', ''] : [round(loop), (subject.best / loop).toFixed(2)]),
      ...[peerText, peer ? (subject.best / peer).toFixed(2) : '', subject.difference.toExponential(1)],
    ])
    await subject.session[Symbol.asyncDispose]()
  }
  return rows
}

/** As a worker has it: each lane one batch under way and one waiting. */
async function speed(session: Session, feeds: () => TensorMap, samples: number): Promise<number> {
  const seconds = Number(options.seconds)
  let count = 0
  let until = Infinity
  const lane = async (inputs: TensorMap): Promise<void> => {
    while (performance.now() < until) {
      ;({ inputs } = await session.run(inputs))
      count++
    }
  }
  await Promise.all(Array.from({ length: session.lanes * 2 }, async () => session.run(feeds())))
  const begun = performance.now()
  until = begun + seconds * 1000
  await Promise.all(Array.from({ length: session.lanes * 2 }, () => lane(feeds())))
  return (count * samples) / ((performance.now() - begun) / 1000)
}

async function bareSpeed(path: string, shape: readonly number[], device: string): Promise<number> {
  const script = fileURLToPath(new URL('bare-engine.mjs', import.meta.url))
  const provider = device.split(':')[0]!
  const args = [script, `${path}.onnx`, `${path}.x`, JSON.stringify(shape), provider, options.seconds]
  return Number((await promisify(execFile)(process.execPath, args)).stdout)
}

/** PyTorch, in a process of its own. */
interface Torch {
  readonly version: string
  readonly card: string | null
  readonly models: readonly string[]
  /** Samples per second by variant. */
  rates(model: string): Promise<Record<string, number>>
  close(): void
}

async function prepare(folder: string): Promise<Torch> {
  const script = fileURLToPath(new URL('torch_engines.py', import.meta.url))
  say('PyTorch exports the models')
  const { stdout } = await promisify(execFile)(options.python, [script, 'prepare', folder]).catch((error: unknown) => {
    throw new Error(
      `${options.python} cannot export the models: pip install torch torchvision onnx, and name it with --python\n${String(error)}`,
    )
  })
  const {
    torch: version,
    card,
    models,
  } = JSON.parse(stdout.trim().split('\n').at(-1)!) as { torch: string; card: string | null; models: string[] }
  const child = spawn(options.python, [script, 'serve'], { stdio: ['pipe', 'pipe', 'ignore'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const device = options.device === 'cpu' || card === null ? 'cpu' : 'cuda'
  return {
    ...{ version, card, models },
    async rates(model) {
      child.stdin.write(`${JSON.stringify({ model, device, seconds: Number(options.seconds) })}\n`)
      const { value } = (await lines.next()) as { value: string }
      const answer = JSON.parse(value) as Record<string, number> & { error?: string }
      if (answer.error !== undefined) throw new Error(`PyTorch: ${answer.error}`)
      return answer
    },
    close: () => void child.kill(),
  }
}

const floats = (bytes: Buffer): Float32Array =>
  new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))

/** Largest absolute difference, relative to the largest |logit|. */
function difference(logits: Float32Array, expected: Float32Array): number {
  let largest = 0
  let scale = 0
  for (const [i, value] of expected.entries()) {
    largest = Math.max(largest, Math.abs(logits[i]! - value))
    scale = Math.max(scale, Math.abs(value))
  }
  return logits.length === expected.length ? largest / scale : NaN
}

const round = (rate: number): string => (rate < 100 ? rate.toFixed(1) : rate.toFixed(0))

const footnote = ({ version, card }: Torch): string =>
  `Best of ${options.rounds} rounds of ${options.seconds} s, taken in turns. ${cpus()[0]?.model.trim() ?? ''}, ${availableParallelism()} cores` +
  `${card === null ? '' : `; ${card}`}; Node ${process.versions.node}, PyTorch ${version}. Samples go in from memory of the host and logits come back to it, in all of them. ` +
  'Largest Δlogit: against PyTorch’s on the processor, relative to the largest |logit|. ÷ PyTorch: its best in float32 (not tf32), or in float16.\n'

function markdown(rows: readonly string[][], torch: Torch): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(HEAD), line(HEAD.map(() => '---')), ...rows.map(line), '', footnote(torch)].join('\n')
}

function say(text: string): void {
  process.stderr.write(`${text}\n`)
}

if (options.help) process.stdout.write(`${USAGE}\n`)
else if (existsSync(new URL('dist/engine/index.js', ROOT))) await main()
else say('dist is missing: npm run setup')
