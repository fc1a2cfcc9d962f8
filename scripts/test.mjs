// `npm test`: sets the clone up, then runs every check, and the tests; says at the end which of them failed.
// With arguments (`npm test -- -t name`, `npm test -- test/cli`) only the tests run, and Jest gets the arguments.
import { spawn } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { reportSetupFailure, setUp } from './setup.mjs'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const NODE_OPTIONS = '--experimental-vm-modules --disable-warning=ExperimentalWarning'

const CHECKS = [
  { name: 'types', args: ['node_modules/typescript/bin/tsc', '--noEmit'] },
  { name: 'types of the admin client', args: ['node_modules/typescript/bin/tsc', '--noEmit', '-p', 'admin'] },
  { name: 'lint', args: ['node_modules/eslint/bin/eslint.js', '.'] },
  { name: 'format', args: ['node_modules/prettier/bin/prettier.cjs', '--check', '.'] },
  {
    name: 'dependency rules',
    args: [
      'node_modules/dependency-cruiser/bin/dependency-cruise.mjs',
      '--config',
      '.dependency-cruiser.cjs',
      'src',
      'admin/src',
    ],
  },
]

/** Runs `node args` in the repository. Captured output is returned; else the terminal gets it. */
function runNode(args, { capture, env = {} }) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: capture ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'],
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text) => (output += text))
    child.on('error', reject)
    child.on('close', (code) => resolve({ ok: code === 0, output }))
  })
}

async function check({ name, args }) {
  const began = Date.now()
  const { ok, output } = await runNode(args, { capture: true })
  console.log(`${ok ? 'passed' : 'FAILED'}  ${name} (${seconds(began)} s)`)
  if (!ok) console.log(output.trim().replace(/^/gm, '    '))
  return { name, ok }
}

/**
 * Runs Jest. What needs a Python with PyTorch is another command, `npm run test:interop`; what needs a browser, `npm run test:e2e`.
 * @param {readonly string[]} args for Jest
 */
async function jest(args) {
  const began = Date.now()
  mkdirSync(join(ROOT, 'artifacts'), { recursive: true })
  const report = join('artifacts', 'jest.json')
  rmSync(join(ROOT, report), { force: true })
  const scope = args.length > 0 ? args : ['--testPathIgnorePatterns', '/node_modules/', '/test/interop/', '/test/e2e/']
  const { ok } = await runNode(['node_modules/jest/bin/jest.js', '--json', '--outputFile', report, ...scope], {
    capture: false,
    env: {
      NODE_OPTIONS: [process.env.NODE_OPTIONS, NODE_OPTIONS].filter(Boolean).join(' '),
      // As a worker sets it (src/main/open-engines.ts), for those who load TensorFlow without one.
      TF_ENABLE_ONEDNN_OPTS: process.env.TF_ENABLE_ONEDNN_OPTS ?? '0',
    },
  })
  console.log(`${ok ? 'passed' : 'FAILED'}  tests (${seconds(began)} s)`)
  return { name: 'tests', ok }
}

const seconds = (began) => ((Date.now() - began) / 1000).toFixed(1)

async function main(args) {
  const results = []
  if (args.length === 0) {
    // Two at a time: the checks are bound by one core each.
    for (let at = 0; at < CHECKS.length; at += 2)
      results.push(...(await Promise.all(CHECKS.slice(at, at + 2).map(check))))
  }
  results.push(await jest(args))
  const failed = results.filter(({ ok }) => !ok).map(({ name }) => name)
  if (args.length > 0) console.log('Only the tests were run, because arguments were given.')
  console.log(
    failed.length === 0 ? `all passed: ${results.map(({ name }) => name).join(', ')}` : `FAILED: ${failed.join(', ')}`,
  )
  return failed.length === 0
}

try {
  await setUp()
  process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1
} catch (error) {
  reportSetupFailure(error)
  process.exitCode = 1
}
