import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { AppError } from '../../error.ts'

/** What is used of the binding of tfjs-node. */
export interface Binding {
  readonly TF_Version: string
  isUsingGpuDevice(): boolean
}

const BINDING = join('lib', 'napi-v8', 'tfjs_binding.node')

/** Where the native binding is: in the folder of `npm run setup:tensorflow`, or where the package's own install script puts it. */
export function findBinding(folder: string, load: NodeJS.Require): string | null {
  const places = [folder, dirname(load.resolve('@tensorflow/tfjs-node-gpu/package.json'))]
  return places.map((place) => join(place, BINDING)).find((path) => existsSync(path)) ?? null
}

/**
 * Whether the native library has been set up, without loading it.
 * @param folder that `npm run setup:tensorflow` made.
 */
export function isNativeThere(folder: string): boolean {
  return findBinding(folder, createRequire(import.meta.url)) !== null
}

/** @throws AppError ENGINE_FAILED when it is missing or cannot be loaded, with what to do. */
export function loadBinding(folder: string, load: NodeJS.Require): Binding {
  const path = findBinding(folder, load)
  if (path === null)
    throw new AppError(
      'ENGINE_FAILED',
      `TensorFlow is not set up: there is no binding in ${folder}; run \`npm run setup:tensorflow\` (docs/gpu.md)`,
    )
  restoreUtil(load)
  try {
    return load(path) as Binding
  } catch (error) {
    throw new AppError(
      'ENGINE_FAILED',
      `TensorFlow cannot be loaded from ${path}: ${(error as Error).message}; run \`npm run setup:tensorflow -- --force\` (docs/gpu.md)`,
      { cause: error },
    )
  }
}

/** Functions of `node:util` that Node 23 removed and tfjs-node 4.22 calls. */
function restoreUtil(load: NodeJS.Require): void {
  const util = load('util') as Record<string, unknown>
  util['isNullOrUndefined'] ??= (value: unknown) => value === null || value === undefined
  util['isArray'] ??= Array.isArray
}
