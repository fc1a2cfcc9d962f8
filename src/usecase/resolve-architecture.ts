import { createHash } from 'node:crypto'
import { describeGraph, encodeGraph, graphFromLayers, graphFromOnnx, type Graph } from '../architecture/index.ts'
import type { ByteSource } from '../container/index.ts'
import { AppError } from '../error.ts'
import { Prisma, type Transaction } from '../store/index.ts'
import { architectureGraph } from './architecture-graph.ts'
import type { PlatformLimits } from './limits.ts'
import { openUpload } from './open-upload.ts'
import type { Platform } from './platform.ts'

/** Where an architecture comes from: one of the three. */
export type ArchitectureInput =
  /** A list of torch.nn layers. */
  | { readonly layers: unknown; readonly uploadId?: undefined; readonly architectureId?: undefined }
  /** An uploaded ONNX file or layer list. */
  | { readonly uploadId: string; readonly layers?: undefined; readonly architectureId?: undefined }
  | { readonly architectureId: string; readonly layers?: undefined; readonly uploadId?: undefined }

/** An architecture that was checked; not stored yet where `id` is null. */
export interface ResolvedArchitecture {
  readonly id: string | null
  readonly source: 'LAYERS' | 'ONNX'
  readonly graph: Graph
  /** The layer list as it was sent. */
  readonly layers: unknown
}

/** @throws AppError NOT_FOUND, ARCHITECTURE_*, LIMIT_EXCEEDED. */
export async function resolveArchitecture(platform: Platform, input: ArchitectureInput): Promise<ResolvedArchitecture> {
  if (input.architectureId !== undefined) {
    const row = await platform.store.prisma.architecture.findUnique({ where: { id: input.architectureId } })
    if (row === null) throw new AppError('NOT_FOUND', 'there is no architecture with this id')
    return { id: row.id, source: row.source, graph: architectureGraph(row), layers: row.layers }
  }
  if (input.uploadId === undefined) return fromLayers(input.layers, platform.limits)
  await using upload = await openUpload(platform, input.uploadId)
  return await fromFile(upload.source, platform.limits)
}

/** Stores an architecture unless an equal one is there, and returns its id. */
export async function storeArchitecture(
  tx: Transaction,
  { id, source, graph, layers }: ResolvedArchitecture,
): Promise<string> {
  if (id !== null) return id
  const bytes = encodeGraph(graph)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const row = await tx.architecture.upsert({
    where: { sha256 },
    update: {},
    create: {
      sha256,
      source,
      graph: new Uint8Array(bytes),
      layers: source === 'LAYERS' ? (layers as Prisma.InputJsonValue) : Prisma.DbNull,
      parameterCount: BigInt(describeGraph(graph).parameterCount),
    },
    select: { id: true },
  })
  return row.id
}

function fromLayers(layers: unknown, limits: PlatformLimits): ResolvedArchitecture {
  const text = JSON.stringify(layers) as string | undefined
  if (text === undefined) throw new AppError('ARCHITECTURE_INVALID', 'the layer list is empty')
  if (text.length > limits.layersBytes) throw tooLarge('the layer list', text.length, limits.layersBytes)
  return { id: null, source: 'LAYERS', graph: graphFromLayers(layers), layers }
}

/** A file that begins as JSON does is a layer list; any other has to be ONNX, whose reader says what else it looks like. */
async function fromFile(source: ByteSource, limits: PlatformLimits): Promise<ResolvedArchitecture> {
  const begin = new TextDecoder().decode(await source.read(0, Math.min(source.size, 64)))
  if (!/^\uFEFF?\s*[[{]/.test(begin)) {
    if (source.size > limits.onnxBytes) throw tooLarge(source.name, source.size, limits.onnxBytes)
    const graph = graphFromOnnx(await source.read(0, source.size))
    return { id: null, source: 'ONNX', graph, layers: null }
  }
  if (source.size > limits.layersBytes) throw tooLarge(source.name, source.size, limits.layersBytes)
  const text = new TextDecoder().decode(await source.read(0, source.size))
  let layers: unknown
  try {
    layers = JSON.parse(text)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new AppError('ARCHITECTURE_INVALID', `${source.name}: begins as JSON and is none: ${reason}`, {
      cause: error,
    })
  }
  return fromLayers(layers, limits)
}

const tooLarge = (what: string, found: number, limit: number) =>
  new AppError('LIMIT_EXCEEDED', `${what} has ${found} bytes; at most ${limit} are read`)
