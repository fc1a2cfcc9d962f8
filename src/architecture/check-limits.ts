import { AppError } from '../error.ts'
import type { Graph } from './graph.ts'
import type { ArchitectureLimits } from './limits.ts'

/**
 * Checks what the graph declares before anything is computed with it.
 * @throws AppError LIMIT_EXCEEDED
 */
export function checkLimits(graph: Graph, limits: ArchitectureLimits): void {
  const limit = (what: string, count: number, most: number): void => {
    if (count > most)
      throw new AppError('LIMIT_EXCEEDED', `the architecture has ${count} ${what}, the limit is ${most}`)
  }
  limit('nodes', graph.nodes.length, limits.nodes)
  limit('parameters', graph.parameters.length, limits.parameters)
  limit(
    'bytes of constants',
    graph.constants.reduce((total, { bytes }) => total + bytes.byteLength, 0),
    limits.constantBytes,
  )
  for (const { name, shape } of graph.parameters) {
    const elements = shape.reduce((product, size) => product * size, 1)
    limit(`elements in parameter ${name}`, elements, limits.parameterElements)
    limit(`dimensions in parameter ${name}`, shape.length, limits.rank)
  }
}
