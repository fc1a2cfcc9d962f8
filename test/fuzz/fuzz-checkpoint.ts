// `npm run fuzz:checkpoint [-- CASES [SEED]]`: reads mutated checkpoints by the hundred thousand. Each is read or refused with an
// AppError, in less than 2 s of processor time, and memory stays within 256 MiB of the start; else the case is printed
// and the exit code is 1. The same seed makes the same cases; FIRST as a third number begins at a later one.
import { Worker } from 'node:worker_threads'
import { FAMILIES } from './cases.ts'
import { randomOf } from './random.ts'
import { readEverything } from './read-everything.ts'
import { loadSubjects } from './subjects.ts'

const [cases = 100_000, seed = 1, first = 0] = process.argv.slice(2).map(Number)
const MAX_SECONDS = 2
const MAX_GROWTH = 256 * 2 ** 20
/** A case that does not come back at all is found by another thread. */
const STUCK_MS = 60_000

interface Tally {
  cases: number
  readonly outcomes: Map<string, number>
  /** Seconds of processor time. */
  slowest: number
  slowestCase: number
}

const subjects = await loadSubjects()
// What is not mutated is read, or is the whole module, which is refused; this also warms up what memory is measured against.
for (const { name, bytes } of [...subjects.zip.slice(0, -1), ...subjects.legacy, ...subjects.safetensors]) {
  const outcome = await readEverything({ file: bytes })
  const expected = name.includes('full_model') ? 'CHECKPOINT_WHOLE_MODULE' : 'read'
  if (outcome !== expected) throw new Error(`${name} is ${outcome} before it is mutated`)
}

const progress = new Int32Array(new SharedArrayBuffer(4))
const watchdog = new Worker(
  `const { workerData: { progress, ms } } = require('node:worker_threads')
   let last = -1
   setInterval(() => {
     if (progress[0] === last) { console.error('case ' + last + ' does not come back'); process.kill(process.pid, 'SIGKILL') }
     last = progress[0]
   }, ms)`,
  { eval: true, workerData: { progress, ms: STUCK_MS } },
)
watchdog.unref()

const names = Object.keys(FAMILIES)
const tallies = new Map(
  names.map((name): [string, Tally] => [name, { cases: 0, outcomes: new Map(), slowest: 0, slowestCase: 0 }]),
)
const startMemory = process.memoryUsage.rss()
let peakMemory = startMemory
const began = performance.now()
const failures: string[] = []

for (let number = first; number < first + cases; number++) {
  const family = names[number % names.length]!
  const tally = tallies.get(family)!
  const made = FAMILIES[family]!(subjects, randomOf(seed * 1_000_003 + number))
  const before = process.cpuUsage()
  let outcome: string
  try {
    outcome = await readEverything(made)
  } catch (error) {
    outcome = 'FAILED'
    failures.push(
      `case ${number} (${family}): ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    )
  }
  const { user, system } = process.cpuUsage(before)
  const seconds = (user + system) / 1e6
  if (seconds > MAX_SECONDS) failures.push(`case ${number} (${family}) took ${seconds.toFixed(2)} s`)
  if (seconds > tally.slowest) [tally.slowest, tally.slowestCase] = [seconds, number]
  tally.cases++
  tally.outcomes.set(outcome, (tally.outcomes.get(outcome) ?? 0) + 1)
  peakMemory = Math.max(peakMemory, process.memoryUsage.rss())
  progress[0] = number
  if ((number - first + 1) % 20_000 === 0) console.log(`${number - first + 1} cases, ${failures.length} failures`)
  if (failures.length > 20) break
}

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`
const growth = peakMemory - startMemory
if (growth > MAX_GROWTH) failures.push(`memory grew by ${mebibytes(growth)}`)
for (const [name, { cases: count, outcomes, slowest, slowestCase }] of tallies) {
  const refused = [...outcomes].filter(([outcome]) => outcome !== 'read').sort(([, a], [, b]) => b - a)
  console.log(
    [
      name.padEnd(38),
      `${count} cases`.padStart(13),
      `${outcomes.get('read') ?? 0} read`.padStart(11),
      `slowest ${(slowest * 1000).toFixed(0)} ms (case ${slowestCase})`.padStart(32),
      ` ${refused.map(([code, times]) => `${code.replace('CHECKPOINT_', '')} ${times}`).join(', ')}`,
    ].join('  '),
  )
}
const total = [...tallies.values()].reduce((sum, { cases: count }) => sum + count, 0)
console.log(
  `\n${total} cases with seed ${seed} in ${((performance.now() - began) / 1000).toFixed(0)} s; memory ${mebibytes(startMemory)} at the start, ` +
    `at most ${mebibytes(growth)} more; ${failures.length} failures`,
)
for (const failure of failures) console.error(failure)
process.exit(failures.length === 0 ? 0 : 1)
