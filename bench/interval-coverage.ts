// How often a 95 % interval holds the true value: `npm run bench:interval-coverage -- DATA_SETS SAMPLES`
//
// Data sets are drawn from a distribution whose accuracy, F1 and AUC are known, and each is reported as a run would be.
import { taskAccumulator } from '../src/metric/index.ts'
import { printTable } from './table.ts'

const DATA_SETS = Number(process.argv[2] ?? 1000)
const SAMPLES = Number(process.argv[3] ?? 500)
/** Share of positives, distance of the classes' scores in standard deviations, and the logit that the threshold 0.5 means. */
const [POSITIVE, DISTANCE] = [0.4, 1.6]

/** A generator of its own (mulberry32): the bootstrap has another. */
let state = 20261127
const uniform = (): number => {
  state = (state + 0x6d2b79f5) | 0
  let t = Math.imul(state ^ (state >>> 15), 1 | state)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
}
const normal = (): number => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())

/** The standard normal distribution function, by its integral: Simpson's rule, far finer than the coverage that is measured. */
function below(x: number): number {
  const [steps, low] = [4000, -9]
  const h = (x - low) / steps
  const density = (at: number): number => Math.exp((-at * at) / 2) / Math.sqrt(2 * Math.PI)
  let sum = density(low) + density(x)
  for (let i = 1; i < steps; i++) sum += density(low + i * h) * (i % 2 === 1 ? 4 : 2)
  return (sum * h) / 3
}

// Scores are N(−d/2, 1) and N(d/2, 1); positive is predicted from 0 on.
const [recall, falseAlarm] = [below(DISTANCE / 2), below(-DISTANCE / 2)]
const precision = (POSITIVE * recall) / (POSITIVE * recall + (1 - POSITIVE) * falseAlarm)
const truth = {
  accuracy: POSITIVE * recall + (1 - POSITIVE) * (1 - falseAlarm),
  f1: (2 * precision * recall) / (precision + recall),
  rocAuc: below(DISTANCE / Math.SQRT2),
  balancedAccuracy: (recall + 1 - falseAlarm) / 2,
  mcc: mccOf(),
}

function mccOf(): number {
  const [tp, fn] = [POSITIVE * recall, POSITIVE * (1 - recall)]
  const [fp, tn] = [(1 - POSITIVE) * falseAlarm, (1 - POSITIVE) * (1 - falseAlarm)]
  return (tp * tn - fp * fn) / Math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
}

const names = Object.keys(truth) as (keyof typeof truth)[]
const held = Object.fromEntries(names.map((name) => [name, 0])) as Record<keyof typeof truth, number>
const methods = new Map<string, string>()
const accumulator = taskAccumulator('BINARY', { classes: ['no', 'yes'] })
for (let set = 0; set < DATA_SETS; set++) {
  const targets = Int32Array.from({ length: SAMPLES }, () => (uniform() < POSITIVE ? 1 : 0))
  const logits = Float32Array.from(targets, (target) => normal() + (target === 1 ? DISTANCE / 2 : -DISTANCE / 2))
  const counted = accumulator.update(accumulator.empty(), { first: 0, n: SAMPLES, width: 1, logits, targets })
  const { metrics } = accumulator.report(counted, { seed: set })
  for (const name of names) {
    const found = metrics.find(
      (metric) => metric.name === name && metric.average === null && (metric.class === null || metric.class === 'yes'),
    )
    const interval = found?.interval
    if (interval == null) continue
    methods.set(name, interval.method)
    if (interval.low <= truth[name] && truth[name] <= interval.high) held[name]++
  }
  if (process.stderr.isTTY) process.stderr.write(`\r${set + 1} of ${DATA_SETS} data sets`)
}
if (process.stderr.isTTY) process.stderr.write('\n')

printTable(
  ['metric', 'true value', 'interval', 'coverage', 'aim'],
  names.map((name) => [
    name,
    truth[name].toFixed(4),
    methods.get(name) ?? '–',
    `${((100 * held[name]) / DATA_SETS).toFixed(1)} %`,
    '93 to 97 %',
  ]),
)
console.log(`${DATA_SETS} data sets of ${SAMPLES} samples`)
