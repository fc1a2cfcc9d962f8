import { AppError } from '../error.ts'
import { checkLimits } from './check-limits.ts'
import type { Graph, GraphValue } from './graph.ts'
import { inferValues, graphValue } from './infer-shapes.ts'
import { DEFAULT_ARCHITECTURE_LIMITS, type ArchitectureLimits } from './limits.ts'
import { isOperator, refuseUnknownOperators } from './operators/unknown-operators.ts'
import { BATCH } from './size.ts'

/**
 * Checks that a graph can be evaluated: operators are known, values are defined once and before they are read, shapes
 * fit, every parameter's shape is known, and the batch is the first dimension of every input and output.
 * @returns Shape and dtype of every value, as `inferShapes`.
 * @throws AppError ARCHITECTURE_INVALID, ARCHITECTURE_UNSUPPORTED_OPERATOR, LIMIT_EXCEEDED; messages name the node.
 */
export function checkGraph(
  graph: Graph,
  limits: ArchitectureLimits = DEFAULT_ARCHITECTURE_LIMITS,
): Map<string, GraphValue> {
  checkLimits(graph, limits)
  if (graph.inputs.length === 0) throw invalid('the graph has no input')
  if (graph.outputs.length === 0) throw invalid('the graph has no output')
  refuseUnknownOperators(
    graph.nodes.map(({ op, domain, name, outputs }) => ({ op, domain, node: name || (outputs[0] ?? '(unnamed)') })),
    isOperator,
  )
  checkNames(graph)
  for (const { name, shape } of graph.inputs)
    if (shape[0] !== BATCH)
      throw invalid(`input ${name} has shape [${shape.join(', ')}]; its first dimension has to be the batch, ${BATCH}`)
  const values = new Map(
    [...inferValues(graph, undefined, limits)].map(([name, value]) => [name, graphValue(name, value)]),
  )
  for (const { name, dtype, shape } of graph.outputs) {
    const found = values.get(name)
    if (!found) throw invalid(`output ${name} is no value of the graph`)
    const text = `output ${name} has shape [${found.shape.join(', ')}]`
    if (found.shape[0] !== BATCH)
      throw invalid(`${text}; its first dimension has to be the batch, ${BATCH}: one result for each sample`)
    if (found.dtype !== dtype || found.shape.join() !== shape.join())
      throw invalid(`${text} and dtype ${found.dtype}, but [${shape.join(', ')}] and ${dtype} are declared`)
  }
  return values
}

function checkNames(graph: Graph): void {
  const names = new Set<string>()
  const add = (name: string, what: string): void => {
    if (name === '') throw invalid(`${what} without a name`)
    if (names.has(name)) throw invalid(`${what} ${name}: another value has that name already`)
    names.add(name)
  }
  for (const { name } of graph.inputs) add(name, 'input')
  for (const { name, keys, shape } of graph.parameters) {
    add(name, 'parameter')
    if (shape.some((size) => !Number.isSafeInteger(size) || size < 0))
      throw invalid(`parameter ${name} has the impossible shape [${shape.join(', ')}]`)
    if (keys[0] !== name) throw invalid(`parameter ${name}: the first of its keys is ${keys[0] ?? 'missing'}`)
  }
  for (const { name } of graph.constants) add(name, 'constant')
  for (const { outputs } of graph.nodes) for (const name of outputs) if (name !== '') add(name, 'value')
}

const invalid = (message: string): AppError => new AppError('ARCHITECTURE_INVALID', message)
