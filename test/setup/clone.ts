import { spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

const COPIED = [
  ...['bin', 'scripts', 'prisma', 'schema.graphql', '.npmrc', 'package.json', 'package-lock.json'],
  ...['tsconfig.json', 'prisma.config.ts', 'admin/vite.config.ts'],
]

/** What is bundled besides the program. */
const MODULES = [
  ...[
    'main/settings-document',
    'main/operators-document',
    'architecture/index',
    'engine/index',
    'engine/engine-thread',
  ],
  ...['engine/onnxruntime/index', 'engine/tensorflow/index', 'engine/tensorflow/wasm', 'engine/tensorflow/webgpu'],
  'metric/thread/metric-thread',
  'worker/inspection/inspection-thread',
]

/** A small program instead of ours: what is bundled does not matter to set-up. */
const PLANTED = {
  'src/main.ts': 'console.log(JSON.stringify(process.argv.slice(2)))\n',
  ...Object.fromEntries(MODULES.map((name) => [`src/${name}.ts`, 'export {}\n'])),
  'admin/operations/planted.graphql': 'query Planted { __typename }\n',
  'admin/public/icon.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>\n',
  'admin/index.html': '<script type="module" src="/src/main.ts"></script>\n',
  'admin/src/main.ts': 'console.log(1)\n',
  'codegen.ts': `export default {
  schema: 'schema.graphql',
  generates: {
    'src/api/generated/resolvers.ts': {
      plugins: ['typescript', 'typescript-resolvers'],
      config: { useTypeImports: true, enumsAsTypes: true, strictScalars: true, scalars: { DateTime: 'Date', SafeInt: 'number', JSON: 'unknown' } },
    },
    'admin/src/generated/graphql.ts': { documents: 'admin/operations/*.graphql', plugins: ['typescript-operations', 'typed-document-node'] },
  },
}
`,
}

/** A copy of the repository, removed when disposed. */
export interface Clone extends Disposable {
  readonly folder: string
}

/**
 * A copy of what set-up works on, with nothing generated and a small program.
 * @param installed whether it has packages: links to ours, so that nothing is installed twice.
 */
export function makeClone(installed: boolean): Clone {
  const folder = mkdtempSync(join(tmpdir(), 'nograd-clone-'))
  for (const name of COPIED)
    if (existsSync(join(ROOT, name))) cpSync(join(ROOT, name), join(folder, name), { recursive: true })
  for (const [name, text] of Object.entries(PLANTED)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  if (installed) linkPackages(join(folder, 'node_modules'))
  return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) }
}

function linkPackages(target: string): void {
  mkdirSync(target)
  const source = join(ROOT, 'node_modules')
  cpSync(join(source, '.package-lock.json'), join(target, '.package-lock.json'))
  for (const name of readdirSync(source)) {
    // Not the stamps and caches: those are the copy's own.
    if (!name.startsWith('.')) symlinkSync(join(source, name), join(target, name))
  }
}

/** What a Node process said. */
export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  readonly milliseconds: number
}

/** Runs Node to its end. */
export function runNode(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const began = performance.now()
    // Those of the test runner are not for the child.
    const inherited = { ...process.env, NODE_OPTIONS: '' }
    const child = spawn(process.execPath, args, {
      cwd,
      env: { ...inherited, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr, milliseconds: performance.now() - began }))
  })
}
