import type { Engine } from '../engine.ts'
import { createEngine as createTensorflow } from './tensorflow-engine.ts'

/**
 * TensorFlow.js on WebGPU. A module of its own, because a thread has one backend.
 * @throws AppError ENGINE_FAILED when `npm run setup:webgpu` was not run, DEVICE_UNAVAILABLE when there is no adapter.
 */
export const createEngine = (): Promise<Engine> => createTensorflow({ backend: 'webgpu' })
