import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from '@jest/globals'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const CRUISER = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs')

/** A file of the planted tree: what it imports, and the rule that must say so (null: it is allowed). */
const PLANTED: readonly { readonly file: string; readonly imports: string; readonly rule: string | null }[] = [
  { file: 'src/tensor/upward.ts', imports: '../store/index.ts', rule: 'floor-0-imports-only-down' },
  { file: 'src/usecase/upward.ts', imports: '../api/index.ts', rule: 'floor-5-imports-only-down' },
  { file: 'src/cli/upward.ts', imports: '../main/start.ts', rule: 'floor-6-imports-only-down' },
  { file: 'src/cli/sibling.ts', imports: '../worker/index.ts', rule: 'cli-does-not-import-siblings' },
  { file: 'src/metric/sibling.ts', imports: '../dataset/index.ts', rule: 'metric-does-not-import-siblings' },
  // A circle is reported once, of one of its files.
  { file: 'src/tensor/circle.ts', imports: './circle.ts', rule: 'no-circular' },
  { file: 'src/store/side-door.ts', imports: '../tensor/shape.ts', rule: 'folders-are-entered-by-their-index' },
  {
    file: 'src/worker/engine.ts',
    imports: '../engine/onnxruntime/index.ts',
    rule: 'only-main-names-a-concrete-engine',
  },
  { file: 'src/api/from-test.ts', imports: '../../test/helper.ts', rule: 'nothing-imports-test-or-bench' },
  { file: 'src/main/engine.ts', imports: '../engine/onnxruntime/index.ts', rule: null },
  { file: 'src/usecase/down.ts', imports: '../store/index.ts', rule: null },
  { file: 'src/store/own.ts', imports: './index.ts', rule: null },
]
const LEAVES = [
  ...['store', 'api', 'worker', 'dataset', 'engine/onnxruntime'].map((folder) => `src/${folder}/index.ts`),
  ...['src/main/start.ts', 'src/tensor/shape.ts', 'test/helper.ts'],
]

interface Violation {
  readonly from: string
  readonly rule: { readonly name: string }
}
let tree = ''
let violations: readonly Violation[] = []

beforeAll(() => {
  tree = mkdtempSync(join(tmpdir(), 'nograd-rules-'))
  const plant = (file: string, text: string): void => {
    mkdirSync(dirname(join(tree, file)), { recursive: true })
    writeFileSync(join(tree, file), text)
  }
  cpSync(join(ROOT, '.dependency-cruiser.cjs'), join(tree, '.dependency-cruiser.cjs'))
  plant('tsconfig.json', '{ "compilerOptions": { "module": "nodenext", "allowImportingTsExtensions": true } }')
  for (const file of LEAVES) plant(file, 'export const leaf = 1\n')
  for (const { file, imports } of PLANTED) plant(file, `export * from '${imports}'\n`)
  violations = cruise(tree)
})
afterAll(() => rmSync(tree, { recursive: true, force: true }))

test.each(PLANTED)('$file that imports $imports: $rule', ({ file, rule }) => {
  const found = violations.filter(({ from }) => from === file).map((violation) => violation.rule.name)
  expect(found).toEqual(rule === null ? [] : expect.arrayContaining([rule]))
})

function cruise(folder: string): readonly Violation[] {
  const args = [CRUISER, '--config', '.dependency-cruiser.cjs', '--output-type', 'json', 'src']
  const json = execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 26 })
  return (JSON.parse(json) as { summary: { violations: readonly Violation[] } }).summary.violations
}
