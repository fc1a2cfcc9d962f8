import type { Tf, TfTensor } from '../library.ts'
import type { Compiled, Operand, Operator, Site } from './operator.ts'

/** Hidden state, and the cell's for LSTM. */
interface State {
  readonly hidden: TfTensor
  readonly cell?: TfTensor
}

/** One step: what the input gives all gates, [batch, gates · hidden], and the state before. */
type Step = (gates: TfTensor, state: State, weights: Weights) => State

interface Weights {
  /** [hidden, gates · hidden] */
  readonly recurrence: TfTensor
  /** [gates · hidden] */
  readonly recurrenceBias: TfTensor
}

const product = (tf: Tf, a: TfTensor, b: TfTensor): TfTensor => tf.matMul(a, b)

/** Source: the ONNX specification of LSTM; gates are in the order input, output, forget, cell. */
const lstm = (site: Site): Step => {
  const { tf } = site
  return (gates, { hidden, cell }, { recurrence, recurrenceBias }) => {
    const sum = tf.add(tf.add(gates, product(tf, hidden, recurrence)), recurrenceBias)
    const [i, o, f, c] = tf.split(sum, 4, 1) as [TfTensor, TfTensor, TfTensor, TfTensor]
    const next = tf.add(tf.mul(tf.sigmoid(f), cell!), tf.mul(tf.sigmoid(i), tf.tanh(c)))
    return { hidden: tf.mul(tf.sigmoid(o), tf.tanh(next)), cell: next }
  }
}

/** Source: the ONNX specification of GRU; gates are in the order update, reset, hidden. */
const gru = (site: Site): Step => {
  const { tf } = site
  const hiddenSize = site.int('hidden_size')!
  const before = site.int('linear_before_reset') === 1
  return (gates, { hidden }, { recurrence, recurrenceBias }) => {
    const sizes = [2 * hiddenSize, hiddenSize]
    const [gatesZr, gatesH] = tf.split(gates, sizes, 1) as [TfTensor, TfTensor]
    const [byZr, byH] = tf.split(recurrence, sizes, 1) as [TfTensor, TfTensor]
    const [biasZr, biasH] = tf.split(recurrenceBias, sizes, 0) as [TfTensor, TfTensor]
    const zr = tf.sigmoid(tf.add(tf.add(gatesZr, product(tf, hidden, byZr)), biasZr))
    const [z, r] = tf.split(zr, 2, 1) as [TfTensor, TfTensor]
    const inner = before
      ? tf.mul(r, tf.add(product(tf, hidden, byH), biasH))
      : tf.add(product(tf, tf.mul(r, hidden), byH), biasH)
    const candidate = tf.tanh(tf.add(gatesH, inner))
    return { hidden: tf.add(tf.mul(tf.sub(1, z), candidate), tf.mul(z, hidden)) }
  }
}

const rnn = (site: Site): Step => {
  const { tf } = site
  const relu = site.texts('activations')?.[0]?.toLowerCase() === 'relu'
  return (gates, { hidden }, { recurrence, recurrenceBias }) => {
    const sum = tf.add(tf.add(gates, product(tf, hidden, recurrence)), recurrenceBias)
    return { hidden: relu ? tf.relu(sum) : tf.tanh(sum) }
  }
}

/** The activations that each direction has when nothing is said; others are refused. */
const ACTIVATIONS: Readonly<Record<string, readonly string[]>> = {
  LSTM: ['sigmoid', 'tanh', 'tanh'],
  GRU: ['sigmoid', 'tanh'],
  RNN: ['tanh'],
}

function checkAttributes(site: Site, directions: number): void {
  const { op } = site.node
  if ('clip' in site.node.attributes) site.refuse('clip')
  if (site.int('input_forget') === 1) site.refuse('input_forget')
  if (site.has(4)) site.refuse('sequence lengths')
  if (site.has(7)) site.refuse('peepholes')
  const given = site.texts('activations')?.map((text) => text.toLowerCase())
  const usual = Array.from({ length: directions }, () => ACTIVATIONS[op]!).flat()
  const known =
    given === undefined || given.join() === usual.join() || (op === 'RNN' && given.every((name) => name === 'relu'))
  if (!known) site.refuse(`activations ${given.join(', ')}`)
}

const recurrent = (name: string, gateCount: number, stepOf: (site: Site) => Step): Operator => ({
  name,
  compile(site): Compiled {
    const { tf } = site
    const direction = site.text('direction') ?? 'forward'
    const directions = direction === 'bidirectional' ? 2 : 1
    checkAttributes(site, directions)
    if (![1, 2].every((input) => site.isBound(input)) || (site.has(3) && !site.isBound(3)))
      return site.refuse('its weights are computed while the graph runs')
    const hidden = site.int('hidden_size')!
    const batchFirst = site.int('layout') === 1
    const shape = site.shape(0)
    const [time, batch] = batchFirst ? [shape[1]!, shape[0]!] : [shape[0]!, shape[1]!]
    const width = gateCount * hidden
    const cell = name === 'LSTM'
    const step = stepOf(site)

    // Of each direction: the weights as they are multiplied, and the two biases.
    const weights: Operand[] = []
    for (let d = 0; d < directions; d++) {
      const part = (input: number, purpose: string) =>
        site.bind(`${purpose} ${d}`, (value) =>
          tf.transpose(tf.squeeze(tf.slice(value(input), [d, 0, 0], [1, -1, -1]), [0])),
        )
      const bias = (offset: number, purpose: string) =>
        site.bind(`${purpose} ${d}`, (value) =>
          site.has(3) ? tf.squeeze(tf.slice(value(3), [d, offset], [1, width]), [0]) : tf.zeros([width]),
        )
      weights.push(part(1, 'input'), part(2, 'recurrence'), bias(0, 'input bias'), bias(width, 'recurrence bias'))
    }
    const starts = [5, ...(cell ? [6] : [])].filter((input) => site.has(input))

    const compute = (x: TfTensor, rest: readonly TfTensor[]): readonly TfTensor[] => {
      const series = batchFirst ? tf.transpose(x, [1, 0, 2]) : x
      const given = new Map(starts.map((input, i) => [input, rest[directions * 4 + i]!]))
      const start = (input: number, d: number): TfTensor => {
        const initial = given.get(input)
        if (!initial) return tf.zeros([batch, hidden])
        const placed = batchFirst ? tf.transpose(initial, [1, 0, 2]) : initial
        return tf.squeeze(tf.slice(placed, [d, 0, 0], [1, -1, -1]), [0])
      }
      const runs = Array.from({ length: directions }, (_, d) => {
        const [by, recurrence, bias, recurrenceBias] = rest.slice(d * 4, d * 4 + 4) as [
          TfTensor,
          TfTensor,
          TfTensor,
          TfTensor,
        ]
        const flat = tf.add(product(tf, tf.reshape(series, [time * batch, -1]), by), bias)
        const gates = tf.unstack(tf.reshape(flat, [time, batch, width]))
        const backwards = direction === 'reverse' || d === 1
        let state: State = { hidden: start(5, d), ...(cell ? { cell: start(6, d) } : {}) }
        const all: TfTensor[] = []
        for (const each of backwards ? gates.toReversed() : gates) {
          state = step(each, state, { recurrence, recurrenceBias })
          all.push(state.hidden)
        }
        return { all: tf.stack(backwards ? all.reverse() : all), state }
      })
      // [time, directions, batch, hidden], or with the batch first.
      const outputs = tf.stack(
        runs.map(({ all }) => all),
        1,
      )
      const last = (of: (state: State) => TfTensor): TfTensor =>
        tf.stack(
          runs.map(({ state }) => of(state)),
          batchFirst ? 1 : 0,
        )
      return [
        batchFirst ? tf.transpose(outputs, [2, 0, 1, 3]) : outputs,
        last((state) => state.hidden),
        ...(cell ? [last((state) => state.cell!)] : []),
      ].slice(0, site.outputCount)
    }
    return {
      operands: [site.take(0), ...weights, ...starts.map((input) => site.take(input))],
      compute: (x, ...rest) => compute(x, rest),
    }
  },
})

/** Recurrent layers, one step after the other. */
export const RECURRENT: readonly Operator[] = [
  recurrent('LSTM', 4, lstm),
  recurrent('GRU', 3, gru),
  recurrent('RNN', 1, rnn),
]
