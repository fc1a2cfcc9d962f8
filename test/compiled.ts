/** URL of a compiled module of src, as `test/global-setup.mjs` makes them: `compiled('engine/onnxruntime/index.js')`. */
export const compiled = (path: string): URL => new URL(`../dist-test/${path}`, import.meta.url)
