import { describeGraph, type Dimension } from '../../architecture/index.ts'
import type { ArchitectureResolvers, GraphValue } from '../generated/resolvers.ts'
import { encodeId } from '../object-id.ts'

/** Fields of `Architecture`; those of its graph are decoded when they are asked for. */
export const architectureResolvers: ArchitectureResolvers = {
  id: ({ id }) => encodeId('Architecture', id),
  inputs: async ({ id }, _arguments, { loaders }) => (await loaders.graph.load(id)).inputs.map(graphValue),
  outputs: async ({ id }, _arguments, { loaders }) => (await loaders.graph.load(id)).outputs.map(graphValue),
  nodes: async ({ id }, _arguments, { loaders }) =>
    describeGraph(await loaders.graph.load(id)).nodes.map(({ outputShape, ...node }) => ({
      ...node,
      outputShape: dimensions(outputShape),
    })),
  operators: async ({ id }, _arguments, { loaders }) =>
    [...new Set((await loaders.graph.load(id)).nodes.map(({ op }) => op))].sort(),
  parameters: async ({ id }, _arguments, { loaders }) => (await loaders.graph.load(id)).parameters,
}

const graphValue = ({
  name,
  dtype,
  shape,
}: {
  readonly name: string
  readonly dtype: string
  readonly shape: readonly Dimension[]
}): GraphValue => ({ name, dtype, shape: dimensions(shape) })

const dimensions = (shape: readonly Dimension[]): string[] => shape.map(String)
