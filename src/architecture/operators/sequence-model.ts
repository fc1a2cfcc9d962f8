import { divideExactly, multiply, sameSize, shapeText } from '../size.ts'
import type { NodeContext, Operator, Value } from './operator.ts'

/** LSTM, GRU and RNN: X [time, batch, input], W [directions, gates*hidden, input]. */
const recurrent = (name: string, outputs: number, inputs: number, more: Operator['attributes']): Operator => ({
  name,
  inputs: [3, inputs],
  outputs: [1, outputs],
  attributes: {
    activation_alpha: 'floats',
    activation_beta: 'floats',
    activations: 'strings',
    clip: 'float',
    direction: 'string',
    hidden_size: 'int',
    layout: 'int',
    ...more,
  },
  infer: (node) => {
    const [x, w] = [node.input(0), node.input(1)]
    if (x.shape.length !== 3 || w.shape.length !== 3 || !sameSize(x.shape[2]!, w.shape[2]!))
      node.fail(`its weight ${shapeText(w.shape)} does not fit the input ${shapeText(x.shape)}`)
    const batchFirst = node.int('layout') === 1
    const [time, batch] = batchFirst ? [x.shape[1]!, x.shape[0]!] : [x.shape[0]!, x.shape[1]!]
    const hidden = node.int('hidden_size') ?? node.fail('has no hidden_size')
    const directions = node.text('direction') === 'bidirectional' ? 2 : 1
    const all: Value = {
      dtype: x.dtype,
      shape: batchFirst ? [batch, time, directions, hidden] : [time, directions, batch, hidden],
    }
    const last: Value = {
      dtype: x.dtype,
      shape: batchFirst ? [batch, directions, hidden] : [directions, batch, hidden],
    }
    return [all, last, last].slice(0, node.outputCount)
  },
})

/** Source: the ONNX specification of Attention, without cached keys. */
const attention: Operator = {
  name: 'Attention',
  since: 23,
  inputs: [3, 4],
  outputs: [1, 1],
  attributes: {
    is_causal: 'int',
    kv_num_heads: 'int',
    q_num_heads: 'int',
    qk_matmul_output_mode: 'int',
    scale: 'float',
    softcap: 'float',
    softmax_precision: 'int',
  },
  infer: (node: NodeContext) => {
    const [q, v] = [node.input(0), node.input(2)]
    if (q.shape.length === 4 && v.shape.length === 4)
      return [{ dtype: q.dtype, shape: [...q.shape.slice(0, 3), v.shape[3]!] }]
    const heads = node.int('q_num_heads')
    const groups = node.int('kv_num_heads')
    const width = heads && groups && v.shape.length === 3 ? divideExactly(v.shape[2]!, groups) : null
    if (q.shape.length !== 3 || width === null)
      return node.fail(`does not fit ${shapeText(q.shape)} and ${shapeText(v.shape)}`)
    return [{ dtype: q.dtype, shape: [q.shape[0]!, q.shape[1]!, multiply(width, heads!)] }]
  },
}

/** Operators of sequence models. */
export const SEQUENCE_MODEL: readonly Operator[] = [
  recurrent('LSTM', 3, 8, { input_forget: 'int' }),
  recurrent('GRU', 2, 6, { linear_before_reset: 'int' }),
  recurrent('RNN', 2, 6, {}),
  attention,
]
