export type {
  AttributeValue,
  Constant,
  Dimension,
  Graph,
  GraphNode,
  GraphValue,
  Parameter,
  WeightSource,
} from './graph.ts'
export { computeInFloat16 } from './compute-in.ts'
export { checkGraph } from './check-graph.ts'
export { describeGraph, type GraphDescription, type NodeDescription } from './describe-graph.ts'
export { inferShapes } from './infer-shapes.ts'
export { graphFromLayers, LAYER_ARGUMENTS, LAYER_TYPES } from './layers/index.ts'
export { DEFAULT_ARCHITECTURE_LIMITS, type ArchitectureLimits } from './limits.ts'
export { decodeGraph, encodeGraph, EXPORT_RECIPE, graphFromOnnx, graphToOnnx } from './onnx/index.ts'
export { OPERATOR_NAMES } from './operators/table.ts'
