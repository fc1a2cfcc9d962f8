// `npm run setup:webgpu [-- --to FOLDER]`: TensorFlow.js on WebGPU. Its packages are in a folder of their own, because Dawn brings its libraries for
// every system (130 MB), which most users never need: the engine `onnxruntime` has a WebGPU inside. Says at the end what computes, or why nothing does.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { setUp } from './setup.mjs'
import { findNpm } from './setup/npm-ci.mjs'
import { SetupError, runCommand } from './setup/run-command.mjs'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const PACKAGES = {
  webgpu: '0.6.2',
  '@tensorflow/tfjs': '4.22.0',
  '@tensorflow/tfjs-backend-webgpu': '4.22.0',
}
const USAGE = `npm run setup:webgpu [-- --to FOLDER]
  --to FOLDER    where to (NOGRAD_WEBGPU then has to name it); by default .webgpu in the folder of nograd`

async function setUpWebgpu(args) {
  const { values } = parseArgs({ args, options: { to: { type: 'string' }, help: { type: 'boolean', default: false } } })
  if (values.help) {
    console.log(USAGE)
    return
  }
  await setUp()
  const folder = resolve(values.to ?? process.env.NOGRAD_WEBGPU ?? join(ROOT, '.webgpu'))
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies: PACKAGES }, null, 2) + '\n')
  const [command, ...npm] = findNpm()
  const flags = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  const { code, output } = await runCommand(command, [...npm, ...flags], { cwd: folder })
  if (code !== 0) throw new SetupError(`npm could not install ${Object.keys(PACKAGES).join(', ')}:\n${output.trim()}`)
  process.env.NOGRAD_WEBGPU = folder
  console.log(`set-up: ${await computed()}`)
}

/** Computes on WebGPU and says where. */
async function computed() {
  const load = (path) => import(pathToFileURL(join(ROOT, 'dist', path)).href)
  const { createEngine } = await load('engine/tensorflow/webgpu.js')
  const { graphFromLayers } = await load('architecture/index.js')
  const engine = await createEngine()
  const [{ id, description }] = await engine.devices()
  const graph = graphFromLayers({ layers: [{ type: 'ReLU' }], input: [4] })
  const session = await engine.load(graph, new Map(), id, { threads: 1 })
  const x = { dtype: 'float32', shape: [1, 4], data: Float32Array.of(-1, 2, -3, 4) }
  const { outputs } = await session.run(new Map([[graph.inputs[0].name, x]]))
  const found = String(outputs.get(graph.outputs[0].name).data)
  if (found !== '0,2,0,4')
    throw new SetupError(`${description} computed ReLU of -1, 2, -3, 4 as ${found}, not as 0, 2, 0, 4`)
  return `TensorFlow.js ${engine.version} computes on WebGPU: ${description}`
}

try {
  await setUpWebgpu(process.argv.slice(2))
  // Dawn keeps threads of its own.
  process.exit(0)
} catch (error) {
  console.error(error instanceof SetupError || error.code !== undefined ? `set-up failed: ${error.message}` : error)
  process.exit(1)
}
