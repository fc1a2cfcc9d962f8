import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import { defineConfig, type Plugin } from 'vite'

/** Where `npm run admin:dev` finds the API. */
const API = process.env['NOGRAD_API'] ?? 'http://localhost:4000'

/** Packs what text there is, once, so that the server has nothing to do: `name.js.br` and `name.js.gz` beside `name.js`. */
function packed(): Plugin {
  return {
    name: 'packed',
    apply: 'build',
    async writeBundle({ dir }) {
      const entries = await readdir(dir!, { recursive: true, withFileTypes: true })
      await Promise.all(
        entries
          .filter((entry) => entry.isFile() && /\.(js|css|html|svg)$/.test(entry.name))
          .map(async ({ parentPath, name }) => {
            const path = join(parentPath, name)
            const bytes = await readFile(path)
            const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }
            await writeFile(`${path}.br`, await promisify(brotliCompress)(bytes, quality))
            await writeFile(`${path}.gz`, await promisify(gzip)(bytes, { level: 9 }))
          }),
      )
    },
  }
}

export default defineConfig({
  root: import.meta.dirname,
  plugins: [packed()],
  build: {
    target: 'es2022',
    outDir: 'dist',
    emptyOutDir: true,
    // Pages are loaded when they are opened; nothing that they need is inlined, which the policy of the server forbids.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1200,
    // Libraries mark modules for servers that render; nothing is rendered on one here.
    rolldownOptions: {
      checks: { invalidAnnotation: false },
      onLog: (level, log, print) => (log.code === 'MODULE_LEVEL_DIRECTIVE' ? undefined : print(level, log)),
    },
  },
  server: {
    proxy: {
      '/graphql': { target: API, ws: true },
      '/uploads': API,
      '^/checkpoints/[^/]+/download': API,
      '^/datasets/[^/]+/samples/': API,
    },
  },
})
