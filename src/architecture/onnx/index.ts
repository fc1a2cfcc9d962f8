export { decodeGraph, encodeGraph } from './graph-bytes.ts'
export { graphFromOnnx } from './graph-from-onnx.ts'
export { graphToOnnx } from './graph-to-onnx.ts'
