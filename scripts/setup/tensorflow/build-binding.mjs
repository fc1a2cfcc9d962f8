import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { cp, rm } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { SetupError, runCommand } from '../run-command.mjs'

/**
 * Compiles the package's binding in a folder that has deps/lib and deps/include, with npm's own node-gyp, and leaves only what
 * it needs to run.
 * @param {string} packageFolder of @tensorflow/tfjs-node-gpu
 * @param {{ path: string }} folder
 */
export async function buildBinding(packageFolder, { path: folder }) {
  for (const name of ['binding.gyp', 'binding'])
    await cp(join(packageFolder, name), join(folder, name), { recursive: true })
  const nodedir = process.env.npm_config_nodedir ?? ownHeaders()
  const args = [
    findNodeGyp(),
    'rebuild',
    '--module_name=tfjs_binding',
    `--module_path=${join(folder, 'lib', 'napi-v8')}`,
    '--napi_version=9',
    '--napi_build_version=8',
    ...(nodedir === null ? [] : [`--nodedir=${nodedir}`]),
  ]
  const { code, output } = await runCommand(process.execPath, args, { cwd: folder, env: environment() })
  if (code !== 0) throw new SetupError(`${advice(output)}\n\n${output.trim().split('\n').slice(-40).join('\n')}`)
  for (const name of ['binding.gyp', 'binding', 'build', join('deps', 'include')])
    await rm(join(folder, name), { recursive: true, force: true })
}

/** The names that TensorFlow's libraries have on macOS differ from those of binding.gyp; with this path they are found all the same. */
const environment = () =>
  process.platform === 'darwin'
    ? { ...process.env, LDFLAGS: `${process.env.LDFLAGS ?? ''} -Wl,-rpath,@loader_path/../../deps/lib` }
    : process.env

/** npm brings a node-gyp along; `npm run` says where npm is. */
function findNodeGyp() {
  const places = []
  if (process.env.npm_config_node_gyp) places.push(process.env.npm_config_node_gyp)
  if (process.env.npm_execpath)
    places.push(join(dirname(dirname(process.env.npm_execpath)), 'node_modules/node-gyp/bin/node-gyp.js'))
  const binaries = [dirname(process.execPath), ...(process.env.PATH ?? '').split(delimiter)]
  for (const folder of binaries) {
    const npm = join(folder, 'npm')
    if (existsSync(npm)) places.push(join(dirname(dirname(realpathSync(npm))), 'node_modules/node-gyp/bin/node-gyp.js'))
    places.push(join(folder, '../lib/node_modules/npm/node_modules/node-gyp/bin/node-gyp.js'))
  }
  const found = places.find((path) => existsSync(path))
  if (found === undefined) throw new SetupError("npm's node-gyp was not found; run this as `npm run setup:tensorflow`")
  return found
}

/** The folder of this Node when its own headers lie in it, as in Node's archives and images: nothing has to be fetched then. */
function ownHeaders() {
  const folder = dirname(dirname(realpathSync(process.execPath)))
  try {
    const text = readFileSync(join(folder, 'include', 'node', 'node_version.h'), 'utf8')
    const part = (name) => new RegExp(`#define NODE_${name}_VERSION (\\d+)`).exec(text)?.[1]
    return `${part('MAJOR')}.${part('MINOR')}.${part('PATCH')}` === process.versions.node ? folder : null
  } catch {
    return null
  }
}

/** What to do about the commonest failures. */
function advice(output) {
  if (/getNodeDir|install got an error|headers\.tar/.test(output))
    return (
      'node-gyp could not fetch the headers of Node. Use a Node that brings them (its archive, its images), or name the folder ' +
      'that has include/node: npm_config_nodedir=/usr npm run setup:tensorflow'
    )
  if (/Could not find any Python installation/.test(output))
    return 'node-gyp needs Python 3 to compile the binding: install python3, or set the environment variable PYTHON to it.'
  if (
    /not found: make|make: not found|(make|g\+\+|c\+\+|cc): (command )?(not found|No such file)|ENOENT.*make/i.test(
      output,
    )
  )
    return (
      'a C++ compiler and make are needed: `apt-get install g++ make` (Debian), `dnf install gcc-c++ make` (Fedora), ' +
      '`xcode-select --install` (macOS).'
    )
  return 'compiling the binding of @tensorflow/tfjs-node-gpu failed.'
}
