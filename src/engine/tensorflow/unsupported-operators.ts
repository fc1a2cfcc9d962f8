import { inferShapes, type Graph } from '../../architecture/index.ts'
import { AppError } from '../../error.ts'
import { tfDType } from './element-type.ts'
import { nodeText } from './engine-error.ts'
import { OPERATORS } from './operators/table.ts'

/**
 * What of a graph this engine cannot execute: names of operators, and of element types that TensorFlow.js does not have. Sorted;
 * empty when the graph can be tried. (An operator may still refuse an attribute when the graph is loaded.)
 */
export function unsupportedOperators(graph: Graph): readonly string[] {
  const lacking = new Set<string>()
  for (const { op, domain } of graph.nodes) if (domain !== '' || !OPERATORS.has(op)) lacking.add(op)
  for (const { dtype } of inferShapes(graph).values()) if (tfDType(dtype) === null) lacking.add(dtype)
  return [...lacking].sort()
}

/** @throws AppError ARCHITECTURE_UNSUPPORTED_OPERATOR that names all of them. */
export function refuseUnsupported(graph: Graph): void {
  const lacking = graph.nodes.filter(({ op, domain }) => domain !== '' || !OPERATORS.has(op))
  if (lacking.length === 0) return
  const named = [...new Map(lacking.map((node) => [node.op, nodeText(node)])).values()]
  throw new AppError(
    'ARCHITECTURE_UNSUPPORTED_OPERATOR',
    `the engine tensorflow lacks operators of this graph: ${named.join(', ')}; use the engine onnxruntime`,
  )
}
