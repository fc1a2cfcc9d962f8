export { createEngine, type TensorflowEngine } from './tensorflow-engine.ts'
export { unsupportedOperators } from './unsupported-operators.ts'
