import type { Graph } from '../graph.ts'

/** Every name that a node or an output of the graph reads. */
export function readNames(graph: Graph): ReadonlySet<string> {
  return new Set([...graph.nodes.flatMap(({ inputs }) => inputs), ...graph.outputs.map(({ name }) => name)])
}

/** The record without one key. */
export const withoutKey = <T>(record: Readonly<Record<string, T>>, key: string): Readonly<Record<string, T>> =>
  Object.fromEntries(Object.entries(record).filter(([name]) => name !== key))
