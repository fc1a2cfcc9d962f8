export { createEngine } from './tensorflow-engine.ts'
export { LACKS } from './lacks.ts'
export { wasmFacts } from './wasm-facts.ts'
