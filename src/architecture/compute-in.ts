import { numberToFloat16, type DType } from '../tensor/index.ts'
import type { AttributeValue, Constant, Graph, GraphNode } from './graph.ts'
import { onnxOfDType } from './onnx/dtype.ts'

/** The largest finite float16. */
const MOST = 65504
/** Inputs that are float32 in every graph, by operator. */
const STAY: Readonly<Record<string, readonly number[]>> = { Resize: [1, 2] }
/** Attributes that name the element type of a result. */
const TYPE_ATTRIBUTES: Readonly<Record<string, string>> = { Cast: 'to', EyeLike: 'dtype' }

const FLOAT32 = onnxOfDType('float32')
const FLOAT16 = onnxOfDType('float16')

/**
 * The graph that computes in float16 where this one computes in float32: parameters, constants and everything between are float16; inputs and
 * outputs stay float32. Constants beyond the range of float16 become its largest numbers (masks are made of such), infinity stays.
 * The manner is that of `onnxconverter_common.float16`, without lists of operators: what a device lacks, its engine computes elsewhere.
 */
export function computeInFloat16(graph: Graph): Graph {
  const constants = new Map(graph.constants.map((constant) => [constant.name, constant]))
  const inputs = new Set(graph.inputs.filter(({ dtype }) => dtype === 'float32').map(({ name }) => name))
  const outputs = new Set(graph.outputs.filter(({ dtype }) => dtype === 'float32').map(({ name }) => name))
  const name = freshNames(graph)
  /** float32 constants that some node needs as they are. */
  const kept = new Map<string, string>()
  const half = (value: string): string => (inputs.has(value) || outputs.has(value) ? name(value) : value)

  const nodes = graph.nodes.map((node): GraphNode => {
    const stay = STAY[node.op] ?? []
    return {
      ...node,
      inputs: node.inputs.map((value, i) => {
        if (!stay.includes(i) || constants.get(value)?.dtype !== 'float32') return half(value)
        const as = kept.get(value) ?? `${name(value)}.kept`
        kept.set(value, as)
        return as
      }),
      outputs: node.outputs.map(half),
      attributes: Object.fromEntries(
        Object.entries(node.attributes).map(([key, value]) => [key, attribute(node.op, key, value)]),
      ),
    }
  })
  return {
    ...graph,
    nodes: [
      ...[...inputs].map((value) => cast(value, name(value), 'float16')),
      ...nodes,
      ...[...outputs].filter((value) => !inputs.has(value)).map((value) => cast(name(value), value, 'float32')),
    ],
    parameters: graph.parameters.map((parameter) =>
      parameter.dtype === 'float32' ? { ...parameter, dtype: 'float16' } : parameter,
    ),
    constants: [
      ...graph.constants.map(halfConstant),
      ...[...kept].map(([value, as]) => ({ ...constants.get(value)!, name: as })),
    ],
  }
}

const cast = (from: string, to: string, dtype: DType): GraphNode => ({
  name: `${from} in ${dtype}`,
  op: 'Cast',
  domain: '',
  inputs: [from],
  outputs: [to],
  attributes: { to: { kind: 'int', value: onnxOfDType(dtype)! } },
})

function attribute(op: string, key: string, value: AttributeValue): AttributeValue {
  if (value.kind === 'tensor') return { kind: 'tensor', value: halfConstant(value.value) }
  return value.kind === 'int' && TYPE_ATTRIBUTES[op] === key && value.value === Number(FLOAT32)
    ? { kind: 'int', value: FLOAT16! }
    : value
}

function halfConstant(constant: Constant): Constant {
  if (constant.dtype !== 'float32') return constant
  const { buffer, byteOffset, byteLength } = constant.bytes
  const from = new DataView(buffer, byteOffset, byteLength)
  const bytes = new Uint8Array(byteLength / 2)
  const to = new DataView(bytes.buffer)
  for (let i = 0; i < byteLength / 4; i++) {
    const value = from.getFloat32(i * 4, true)
    const within = Number.isFinite(value) ? Math.min(MOST, Math.max(-MOST, value)) : value
    to.setUint16(i * 2, numberToFloat16(within), true)
  }
  return { ...constant, dtype: 'float16', bytes }
}

/** Names that the graph does not have: one for each value, always the same. */
function freshNames(graph: Graph): (value: string) => string {
  const taken = new Set([
    ...graph.inputs.map(({ name }) => name),
    ...graph.parameters.map(({ name }) => name),
    ...graph.constants.map(({ name }) => name),
    ...graph.nodes.flatMap(({ outputs }) => outputs),
  ])
  const given = new Map<string, string>()
  return (value) => {
    let fresh = given.get(value)
    if (fresh !== undefined) return fresh
    fresh = `${value}.float16`
    while (taken.has(fresh)) fresh += '_'
    taken.add(fresh)
    given.set(value, fresh)
    return fresh
  }
}
