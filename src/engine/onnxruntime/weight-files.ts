import { realpath } from 'node:fs/promises'
import { dirname, relative, sep } from 'node:path'
import type { Graph, WeightSource } from '../../architecture/index.ts'
import { AppError } from '../../error.ts'
import { sameShape } from '../../tensor/index.ts'
import type { ParameterSource } from '../engine.ts'

/** Weights as ONNX external data: files named relative to one folder. */
export interface WeightFiles {
  readonly folder: string
  readonly weights: ReadonlyMap<string, WeightSource>
}

/**
 * Finds the folder that holds all files of a source. ONNX Runtime takes one folder and refuses paths that lead out of it, also
 * through links; so the folder is the deepest that the real paths share.
 * @throws AppError ENGINE_FAILED when a parameter has no values, or values of another dtype or shape.
 */
export async function weightFiles(graph: Graph, parameters: ParameterSource): Promise<WeightFiles> {
  const paths = new Map<string, string>()
  for (const [name, { path }] of parameters) if (!paths.has(path)) paths.set(path, await realFile(name, path))
  const folder = commonFolder([...paths.values()])
  const weights = new Map<string, WeightSource>()
  for (const { name, dtype, shape, optional } of graph.parameters) {
    if (optional) continue
    const data = parameters.get(name)
    if (data === undefined) throw new AppError('ENGINE_FAILED', `onnxruntime: parameter ${name} has no values`)
    if (data.dtype !== dtype || !sameShape(data.shape, shape))
      throw new AppError(
        'ENGINE_FAILED',
        `onnxruntime: parameter ${name} has values of ${data.dtype} [${data.shape.join(', ')}], the graph has ${dtype} [${shape.join(', ')}]`,
      )
    const { offset, length } = data
    // External data of no bytes is refused.
    if (length === 0) weights.set(name, { kind: 'bytes', bytes: new Uint8Array(0) })
    else weights.set(name, { kind: 'file', file: portable(relative(folder, paths.get(data.path)!)), offset, length })
  }
  return { folder, weights }
}

async function realFile(parameter: string, path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    throw new AppError(
      'ENGINE_FAILED',
      `onnxruntime: the values of parameter ${parameter} cannot be read: ${(error as Error).message}`,
      {
        cause: error,
      },
    )
  }
}

/** ONNX writes folders with slashes. */
const portable = (path: string): string => path.split(sep).join('/')

/** The deepest folder above all paths. */
export function commonFolder(paths: readonly string[]): string {
  if (paths.length === 0) return sep
  const folders = paths.map((path) => dirname(path).split(sep))
  const [first] = folders
  let depth = 0
  while (depth < first!.length && folders.every((folder) => folder[depth] === first![depth])) depth++
  return first!.slice(0, depth).join(sep) || sep
}
