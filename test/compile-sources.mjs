import { transformFile } from '@swc/core'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const SOURCE = join(ROOT, 'src')

/** Where tests find the compiled platform: next to src, so that relative paths out of it hold. */
export const COMPILED = join(ROOT, 'dist-test')

const OPTIONS = {
  swcrc: false,
  sourceMaps: true,
  jsc: {
    target: 'es2022',
    parser: { syntax: 'typescript' },
    rewriteRelativeImportExtensions: true,
  },
  module: { type: 'es6' },
}

/**
 * Compiles what changed in src, without type checks. Safe to run twice at once: a file appears whole or not at all.
 * A file that does not parse becomes one that throws the parser's message, so that only what imports it fails.
 */
export async function compileSources() {
  await mkdir(COMPILED, { recursive: true })
  // The folder ignores itself.
  await writeWhole(join(COMPILED, '.gitignore'), '*\n')
  const sources = await filesBelow(SOURCE, '.ts')
  const expected = new Set(sources.map(compiledPath))
  for (const path of await filesBelow(COMPILED, '.js')) if (!expected.has(path)) await rm(path, { force: true })
  await Promise.all(sources.map(compileOne))
}

const compiledPath = (path) => join(COMPILED, relative(SOURCE, path)).replace(/\.ts$/, '.js')

async function compileOne(path) {
  const target = compiledPath(path)
  const [from, to] = await Promise.all([stat(path), stat(target).catch(() => null)])
  if (to !== null && to.mtimeMs > from.mtimeMs) return
  await mkdir(dirname(target), { recursive: true })
  try {
    const { code, map } = await transformFile(path, OPTIONS)
    await writeWhole(`${target}.map`, map)
    await writeWhole(target, `${code}\n//# sourceMappingURL=${target.slice(target.lastIndexOf('/') + 1)}.map\n`)
  } catch (error) {
    await writeWhole(target, `throw new SyntaxError(${JSON.stringify(`${path}: ${error.message}`)})\n`)
  }
}

async function writeWhole(path, text) {
  if (path.endsWith('.gitignore') && (await readFile(path, 'utf8').catch(() => '')) === text) return
  const partial = `${path}.${process.pid}.part`
  await writeFile(partial, text)
  await rename(partial, path)
}

async function filesBelow(folder, extension) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(extension))
    .map((entry) => join(entry.parentPath, entry.name))
}
