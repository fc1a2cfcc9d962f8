export { EXPORT_RECIPE } from './export-recipe.ts'
export { graphFromOnnx } from './graph-from-onnx.ts'
export { decodeGraph, encodeGraph } from './graph-bytes.ts'
export { graphToOnnx } from './graph-to-onnx.ts'
