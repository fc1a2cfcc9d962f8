import { checkGraph } from '../check-graph.ts'
import { checkLimits } from '../check-limits.ts'
import type { Graph } from '../graph.ts'
import { inferShapes } from '../infer-shapes.ts'
import { DEFAULT_ARCHITECTURE_LIMITS, type ArchitectureLimits } from '../limits.ts'
import { simplify } from '../simplify/index.ts'
import { sortNodes } from '../sort-nodes.ts'
import { AppError } from '../../error.ts'
import { withBatchCounters } from './batch-counters.ts'
import { findDuplicates } from './duplicates.ts'
import { exportedTensors } from './export-notes.ts'
import { readInitializers } from './initializers.ts'
import type { GraphProto } from './onnx_pb.ts'
import { checkOperators, readInputs, readNodes } from './read-graph.ts'
import { readModel } from './read-model.ts'

/**
 * The architecture in an ONNX file: its graph in evaluation mode, without its weights, which become parameters named by
 * state_dict keys. Weights in another file (`.onnx.data`) are not needed. Constant parts are computed, and operators that
 * do nothing are left out.
 * @throws AppError ARCHITECTURE_INVALID, ARCHITECTURE_UNSUPPORTED_OPERATOR, ARCHITECTURE_NOT_STATE_DICT_KEYS, LIMIT_EXCEEDED.
 */
export function graphFromOnnx(bytes: Uint8Array, limits: ArchitectureLimits = DEFAULT_ARCHITECTURE_LIMITS): Graph {
  const { model, graph: proto, opset } = readModel(bytes, limits)
  checkCount('nodes', proto.node.length, limits.nodes)
  checkCount('initializers', proto.initializer.length, limits.parameters)
  checkOperators(proto.node)
  checkUnique(proto)
  const duplicates = findDuplicates(proto)
  const kept = proto.node.filter(({ opType, output }) => !(opType === 'Identity' && duplicates.has(output[0] ?? '')))
  const initializers = readInitializers(
    proto,
    model.producerName === 'pytorch',
    exportedTensors(model, proto),
    duplicates,
  )
  const { nodes, constants } = readNodes(kept)
  const graph: Graph = {
    opset,
    inputs: readInputs(proto),
    // Shapes of outputs are inferred below: the file may lack them, or name sizes in another way.
    outputs: proto.output.map(({ name }) => ({ name, dtype: 'float32', shape: [] })),
    nodes: sortNodes(nodes),
    parameters: withBatchCounters(initializers.parameters, nodes),
    constants: [...initializers.constants, ...constants],
  }
  checkLimits(graph, limits)
  const simple = simplify(graph, limits)
  const shapes = inferShapes(simple)
  const result = { ...simple, outputs: simple.outputs.map((output) => shapes.get(output.name) ?? output) }
  checkGraph(result, limits)
  return result
}

function checkCount(what: string, count: number, limit: number): void {
  if (count > limit) throw new AppError('LIMIT_EXCEEDED', `the ONNX file has ${count} ${what}, the limit is ${limit}`)
}

function checkUnique(graph: GraphProto): void {
  const names = new Set<string>()
  for (const { name } of graph.initializer) {
    if (names.has(name)) throw new AppError('ARCHITECTURE_INVALID', `two initializers are called ${name}`)
    names.add(name)
  }
}
