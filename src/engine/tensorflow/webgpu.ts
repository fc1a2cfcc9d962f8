import { createEngine as createTensorflow, type TensorflowEngine } from './tensorflow-engine.ts'

/**
 * TensorFlow.js on WebGPU. A module of its own, because a thread has one backend.
 * @throws AppError ENGINE_FAILED when `npm run setup:webgpu` was not run, DEVICE_UNAVAILABLE when there is no adapter.
 */
export const createEngine = (): Promise<TensorflowEngine> => createTensorflow({ backend: 'webgpu' })
