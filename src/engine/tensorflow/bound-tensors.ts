import { closeSync, openSync, readSync } from 'node:fs'
import type { Graph } from '../../architecture/index.ts'
import { AppError } from '../../error.ts'
import { sameShape, typedArrayOf } from '../../tensor/index.ts'
import type { ParameterData, ParameterSource } from '../engine.ts'
import { toTf } from './element-type.ts'
import type { Tf, TfTensor } from './library.ts'

/** Tensors that are made once and stay: weights as operators want them. */
export interface BoundTensors {
  /** The tensor of that key; `make` is called for the first time only, and what else it makes goes. */
  get(key: string, make: () => TfTensor): TfTensor
  has(key: string): boolean
  dispose(): void
}

/** An empty store. */
export function boundTensors(tf: Tf): BoundTensors {
  const kept = new Map<string, TfTensor>()
  return {
    get(key, make) {
      const found = kept.get(key)
      if (found !== undefined) return found
      // A clone, so that what is kept has an owner of its own even when `make` gives a tensor that somebody else keeps.
      const made = tf.keep(tf.tidy(() => make().clone()))
      kept.set(key, made)
      return made
    },
    has: (key) => kept.has(key),
    dispose() {
      for (const tensor of kept.values()) tensor.dispose()
      kept.clear()
    },
  }
}

/**
 * Checks that every parameter of the graph has values of its dtype and shape.
 * @throws AppError ENGINE_FAILED that names the parameter.
 */
export function checkParameters(graph: Graph, source: ParameterSource): void {
  for (const { name, dtype, shape, optional } of graph.parameters) {
    if (optional) continue
    const data = source.get(name)
    if (data === undefined) throw new AppError('ENGINE_FAILED', `tensorflow: parameter ${name} has no values`)
    if (data.dtype !== dtype || !sameShape(data.shape, shape))
      throw new AppError(
        'ENGINE_FAILED',
        `tensorflow: parameter ${name} has values of ${data.dtype} [${data.shape.join(', ')}], the graph has ${dtype} [${shape.join(', ')}]`,
      )
  }
}

/**
 * The values of a parameter from its file.
 * @throws AppError ENGINE_FAILED when the file is missing or short.
 */
export function readParameter(tf: Tf, name: string, { dtype, shape, path, offset, length }: ParameterData): TfTensor {
  const bytes = new Uint8Array(length)
  try {
    const file = openSync(path, 'r')
    try {
      for (let at = 0; at < length;) {
        const count = readSync(file, bytes, at, Math.min(length - at, 2 ** 30), offset + at)
        if (count === 0) throw new Error(`it ends ${length - at} bytes too early`)
        at += count
      }
    } finally {
      closeSync(file)
    }
  } catch (error) {
    throw new AppError(
      'ENGINE_FAILED',
      `tensorflow: the values of parameter ${name} cannot be read: ${(error as Error).message}`,
      { cause: error },
    )
  }
  return toTf(tf, name, { dtype, shape, data: typedArrayOf(dtype, bytes) })
}
