import { OPERATOR_NAMES, type Graph } from '../../architecture/index.ts'
import { AppError } from '../../error.ts'
import { DTYPES } from '../../tensor/index.ts'
import type { EngineLacks } from '../engine.ts'
import { tfDType } from './element-type.ts'
import { nodeText } from './engine-error.ts'
import type { Backend } from './library.ts'
import { OPERATORS } from './operators/table.ts'

/** What of the architecture TensorFlow.js cannot execute. */
export const LACKS: EngineLacks = {
  operators: OPERATOR_NAMES.filter((name) => !OPERATORS.has(name)),
  dtypes: DTYPES.filter((dtype) => tfDType(dtype) === null).sort(),
}

/** … on a backend: the kernels of WebAssembly are fewer. */
export const lacksOn = (backend: Backend): EngineLacks =>
  backend === 'wasm' ? { ...LACKS, operators: [...LACKS.operators, 'Einsum'].sort() } : LACKS

/** @throws AppError ARCHITECTURE_UNSUPPORTED_OPERATOR that names all operators that are not executed, and a node of each. */
export function refuseUnsupported(graph: Graph, backend: Backend): void {
  const { operators } = lacksOn(backend)
  const lacking = graph.nodes.filter(({ op, domain }) => domain !== '' || !OPERATORS.has(op) || operators.includes(op))
  if (lacking.length === 0) return
  const named = [...new Map(lacking.map((node) => [node.op, nodeText(node)])).values()]
  throw new AppError(
    'ARCHITECTURE_UNSUPPORTED_OPERATOR',
    `the engine tensorflow lacks operators of this graph: ${named.join(', ')}; use the engine onnxruntime`,
  )
}
