export { createEngine } from './onnxruntime-engine.ts'
