// What happens when the memory of a device is full. `npm run bench:device-memory [-- --help]`. A network keeps the activations of all its layers, and
// the batch is so large that they do not fit: the engine has to execute it in parts, with the right answers, and go on. Only compiled code (dist) is needed.
import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type * as Graphs from '../src/architecture/index.ts'
import type { ThreadedEngine } from '../src/engine/index.ts'
import { ENGINE_MODULES, openEngine } from './engine-modules.ts'
import { printTable } from './table.ts'

const USAGE = `npm run bench:device-memory [-- OPTIONS]
  --device webgpu|cuda   which device is filled (default: webgpu); others than graphics cards would fill the memory of the machine
  --times T              how many times its memory the activations of the batch take (default: 1.5)
  --gib G                memory of the device, where it is not known`
const { values: options } = parseArgs({
  options: {
    device: { type: 'string', default: 'webgpu' },
    times: { type: 'string', default: '1.5' },
    gib: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

const ROOT = new URL('..', import.meta.url)
/** Elements of a sample: 4 MiB. */
const WIDTH = 2 ** 20
/** Samples: an activation of the whole batch takes 1 GiB. */
const SAMPLES = 256
const GIB = 2 ** 30

/** aᵢ = x + i for i up to `layers`, and y = the last column of a₁ + a₂ + …, added from the last: every aᵢ is alive when the last one is there. */
function network(layers: number): Graphs.Graph {
  const node = (op: string, inputs: string[], output: string) =>
    ({ ...{ name: `/${output}`, op, domain: '', inputs, outputs: [output] }, attributes: {} }) as const
  const upwards = Array.from({ length: layers }, (_, i) => node('Add', [i === 0 ? 'x' : `a${i}`, 'one'], `a${i + 1}`))
  const downwards = Array.from({ length: layers - 1 }, (_, i) =>
    node('Add', [i === 0 ? `a${layers}` : `s${i}`, `a${layers - 1 - i}`], `s${i + 1}`),
  )
  return {
    opset: 17,
    inputs: [{ name: 'x', dtype: 'float32', shape: ['N', WIDTH] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: ['N', 1] }],
    nodes: [...upwards, ...downwards, node('Slice', [`s${layers - 1}`, 'from', 'to', 'axis'], 'y')],
    parameters: [],
    constants: [
      { name: 'one', dtype: 'float32', shape: [1], bytes: new Uint8Array(Float32Array.of(1).buffer) },
      ...Object.entries({ from: WIDTH - 1, to: WIDTH, axis: 1 }).map(
        ([name, value]) =>
          ({
            name,
            dtype: 'int64',
            shape: [1],
            bytes: new Uint8Array(BigInt64Array.of(BigInt(value)).buffer),
          }) as const,
      ),
    ],
  }
}

async function main(): Promise<void> {
  const rows: string[][] = []
  for (const module of ENGINE_MODULES) {
    const engine = await openEngine(module)
    if (engine === null) continue
    for (const { id, description, memoryBytes } of await engine.devices()) {
      if (id.split(':')[0] !== options.device) continue
      const memory = options.gib === undefined ? memoryBytes : Number(options.gib) * GIB
      if (memory === null) throw new Error(`the memory of ${description} is not known: name it with --gib`)
      const layers = Math.max(2, Math.ceil((Number(options.times) * memory) / GIB))
      const row = [engine.name, id, `${(memory / GIB).toFixed(0)} GiB`, `${layers} GiB`]
      try {
        rows.push([...row, ...(await fill(engine, id, layers))])
      } catch (error) {
        rows.push([...row, `failed: ${(error as Error).message.slice(0, 200)}`])
      }
    }
    await engine[Symbol.asyncDispose]()
  }
  printTable(['engine', 'device', 'memory', 'activations', 'at a time', 'first batch', 'second', 'a small one'], rows)
  // Dawn keeps threads of its own.
  process.exit(rows.length > 0 && rows.every((row) => row.length > 5) ? 0 : 1)
}

/** The samples at a time that it came to, and how long batches took. Throws where an answer is wrong. */
async function fill(engine: ThreadedEngine, device: string, layers: number): Promise<string[]> {
  await using session = await engine.load(network(layers), new Map(), device, { threads: 2 })
  let split: number | undefined
  const batch = async (samples: number): Promise<string> => {
    const data = new Float32Array(samples * WIDTH)
    for (let i = 0; i < samples; i++) data.fill(i, i * WIDTH, (i + 1) * WIDTH)
    process.stderr.write(`${device}: ${samples} samples through ${layers} layers\n`)
    const begun = performance.now()
    const result = await session.run(new Map([['x', { dtype: 'float32', shape: [samples, WIDTH], data }]]))
    const seconds = ((performance.now() - begun) / 1000).toFixed(1)
    const y = result.outputs.get('y')!.data
    for (let i = 0; i < samples; i++) {
      // Exact: whole numbers of less than 2²⁴.
      const expected = layers * i + (layers * (layers + 1)) / 2
      if (Number(y[i]) !== expected) throw new Error(`sample ${i} of ${samples}: ${Number(y[i])}, not ${expected}`)
    }
    split = result.split ?? split
    return `${seconds} s`
  }
  const times = [await batch(SAMPLES), await batch(SAMPLES), await batch(2)]
  return [split === undefined ? 'all' : `${split} of ${SAMPLES} samples`, ...times]
}

if (options.help) process.stdout.write(`${USAGE}\n`)
else if (existsSync(new URL('dist/engine/index.js', ROOT))) await main()
else process.stderr.write('dist is missing: npm run setup\n')
