import { existsSync, readdirSync, statSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { SetupError, runCommand } from '../run-command.mjs'
import { placeInDeps, unpackWheel } from './unpack-wheel.mjs'

const HOW_ELSE =
  'or name what you have: --from a wheel (`pip download --no-deps tensorflow-cpu` on another machine), an installed tensorflow ' +
  'folder, or a libtensorflow .tar.gz'

/**
 * Puts the library and its headers into deps/lib and deps/include of a folder, from wherever they are to come.
 * @param {{ path: string }} folder
 * @param {{ gpu: boolean, from: string | undefined, say: (text: string) => void }} options
 */
export async function placeLibrary({ path: folder }, { gpu, from, say }) {
  await using(async (scratch) => {
    const source = from === undefined ? await downloadWheel(scratch, gpu, say) : resolve(from)
    if (!existsSync(source)) throw new SetupError(`--from ${source}: there is no such file or folder`)
    say(`taking TensorFlow from ${source} …`)
    if (statSync(source).isDirectory()) await placeFolder(source, folder)
    else if (source.endsWith('.whl')) await unpackWheel(source, placeInDeps(folder))
    else if (/\.(tar\.gz|tgz)$/.test(source)) {
      await run('tar', ['-xzf', source, '-C', scratch], 'unpacking the archive')
      await placeFolder(scratch, folder)
    } else throw new SetupError(`--from ${source}: expected a .whl, a .tar.gz or a folder`)
  })
  await linkNames(folder)
}

async function using(task) {
  const scratch = await mkdtemp(join(tmpdir(), 'nograd-tensorflow-'))
  try {
    await task(scratch)
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

async function downloadWheel(scratch, gpu, say) {
  const name = gpu ? 'tensorflow' : process.platform === 'darwin' ? 'tensorflow' : 'tensorflow-cpu'
  const python = process.env.NOGRAD_PYTHON ?? 'python3'
  say(`downloading the wheel ${name} with pip (some hundred megabytes) …`)
  const args = [
    '-m',
    'pip',
    'download',
    '--no-deps',
    '--only-binary',
    ':all:',
    '--retries',
    '0',
    '--dest',
    scratch,
    name,
  ]
  const { code, output } = await runCommand(python, args, { cwd: scratch, env: process.env }).catch((error) => {
    if (error.code !== 'ENOENT') throw error
    throw new SetupError(`there is no ${python}: install Python 3 with pip, or set NOGRAD_PYTHON; ${HOW_ELSE}`)
  })
  const wheel = readdirSync(scratch).find((file) => file.endsWith('.whl'))
  if (code !== 0 || wheel === undefined)
    throw new SetupError(`pip could not download ${name}; ${HOW_ELSE}.\n\n${output.trim()}`)
  return join(scratch, wheel)
}

/** An unpacked or installed wheel (…/tensorflow, or the folder that it lies in), or lib/ and include/ of a libtensorflow. */
async function placeFolder(source, folder) {
  const root = [source, join(source, 'tensorflow')].find((path) => existsSync(join(path, 'include')))
  if (root === undefined) throw new SetupError(`${source} holds no include folder of TensorFlow`)
  const libraries = existsSync(join(root, 'lib')) ? join(root, 'lib') : root
  await mkdir(join(folder, 'deps', 'lib'), { recursive: true })
  for (const name of await readdir(libraries))
    if (/^libtensorflow(_cc|_framework)?\.[\w.]*$/.test(name) && !name.endsWith('.params'))
      await cp(join(libraries, name), join(folder, 'deps', 'lib', name), { dereference: true })
  for (const name of ['tensorflow', 'tsl', 'xla'])
    if (existsSync(join(root, 'include', name)))
      await cp(join(root, 'include', name), join(folder, 'deps', 'include', name), {
        recursive: true,
        dereference: true,
      })
}

/** The names that binding.gyp links against, pointing at those that the wheel has. */
async function linkNames(folder) {
  const lib = join(folder, 'deps', 'lib')
  const names = existsSync(lib) ? await readdir(lib) : []
  const suffix = process.platform === 'darwin' ? /\.dylib$/ : /\.so\.2$/
  for (const [kind, wanted] of [
    ['framework', /^libtensorflow_framework\./],
    ['cc', /^libtensorflow(_cc)?\./],
  ]) {
    const found =
      names.find((name) => wanted.test(name) && suffix.test(name)) ?? names.find((name) => wanted.test(name))
    if (found === undefined)
      throw new SetupError(`no TensorFlow library (${kind}) was found there; is it a wheel for ${process.platform}?`)
    const stem = kind === 'cc' ? 'libtensorflow' : 'libtensorflow_framework'
    const link = `${stem}${process.platform === 'darwin' ? '.2.dylib' : '.so'}`
    if (!names.includes(link)) await symlink(found, join(lib, link))
  }
}

async function run(command, args, doing) {
  const { code, output } = await runCommand(command, args, { cwd: tmpdir() })
  if (code !== 0) throw new SetupError(`${doing} failed:\n\n${output.trim()}`)
}
