import { z } from 'zod'
import { AppError } from '../../error.ts'
import { checkGraph } from '../check-graph.ts'
import type { Graph } from '../graph.ts'
import { DEFAULT_ARCHITECTURE_LIMITS, type ArchitectureLimits } from '../limits.ts'
import { size } from './arguments.ts'
import { createGraphBuilder, type GraphBuilder } from './builder.ts'
import type { Flow, Layer } from './layer.ts'
import { nearestName } from './nearest-name.ts'
import { LAYER_TYPES, LAYERS, SEQUENTIAL } from './table.ts'

const LIST = z.strictObject({
  layers: z.array(z.unknown(), 'a list of layers'),
  input: z.array(size, 'the sizes of one sample, without the batch, such as [1, 8, 8]').max(8, 'at most 8 sizes'),
  inputDtype: z.enum(['float32', 'int64', 'int32'], '"float32", "int64" or "int32"').default('float32'),
})

const NAME = z.string('text').regex(/^[^./]{1,128}$/, 'a name without dots and slashes, as torch wants it')

interface Walk {
  readonly builder: GraphBuilder
  readonly limits: ArchitectureLimits
  count: number
}

/**
 * The architecture that a list of torch.nn layers describes:
 * `{"layers": [{"type": "Conv2d", "in_channels": 1, …}, …], "input": [1, 8, 8], "inputDtype": "float32"}`.
 * Arguments have torch's names and defaults. `{"type": "Sequential", "layers": […]}` nests; `"name"` gives a layer a name, as
 * `nn.Sequential(OrderedDict(…))` does. Parameters are named as in that model's state_dict.
 * @throws AppError ARCHITECTURE_INVALID, ARCHITECTURE_UNSUPPORTED_OPERATOR, LIMIT_EXCEEDED; messages say which layer.
 */
export function graphFromLayers(json: unknown, limits: ArchitectureLimits = DEFAULT_ARCHITECTURE_LIMITS): Graph {
  const list = LIST.safeParse(json)
  if (!list.success) throw invalid('the layer list', argumentText(list.error, json, Object.keys(LIST.shape)))
  const { layers, input, inputDtype } = list.data
  if (layers.length === 0) throw invalid('layers', 'the list is empty; at least one layer is expected')
  const walk: Walk = { builder: createGraphBuilder(limits), limits, count: 0 }
  const start: Flow = { value: 'input', dtype: inputDtype, shape: input }
  checkElements('input', start, limits)
  const output = compileAll(layers, start, '', 'layers', 1, walk)
  const graph = walk.builder.finish({ name: 'input', dtype: inputDtype, shape: ['N', ...input] }, output)
  checkGraph(graph, limits)
  return graph
}

function compileAll(
  layers: readonly unknown[],
  input: Flow,
  prefix: string,
  path: string,
  depth: number,
  walk: Walk,
): Flow {
  if (depth > walk.limits.depth) throw limit(path, `is nested more than ${walk.limits.depth} levels deep`)
  const names = new Set<string>()
  let flow = input
  for (const [index, json] of layers.entries()) {
    const at = `${path}[${index}]`
    if (++walk.count > walk.limits.layers) throw limit(at, `there are more than ${walk.limits.layers} layers`)
    if (typeof json !== 'object' || json === null || Array.isArray(json))
      throw invalid(at, `expected an object such as {"type": "ReLU"}, found ${shown(json)}`)
    const { type, name = String(index), ...layerArguments } = json as Record<string, unknown>
    if (!NAME.safeParse(name).success)
      throw invalid(at, `name: expected a name without dots and slashes, as torch wants it, found ${shown(name)}`)
    if (names.has(name as string))
      throw invalid(at, `another layer of this Sequential is called ${shown(name)} already`)
    names.add(name as string)
    const module = `${prefix}${name as string}`
    if (type === SEQUENTIAL) {
      const { layers: nested, ...others } = layerArguments
      const [other] = Object.keys(others)
      if (!Array.isArray(nested))
        throw invalid(`${at} (Sequential)`, `layers: expected a list of layers, found ${shown(nested)}`)
      if (other !== undefined) throw invalid(`${at} (Sequential)`, `unknown argument "${other}"; it has "layers" only`)
      flow = compileAll(nested, flow, `${module}.`, `${at}.layers`, depth + 1, walk)
    } else flow = compileOne(layerOf(type, at), layerArguments, flow, at, module, walk)
    checkElements(at, flow, walk.limits)
  }
  return flow
}

function layerOf(type: unknown, at: string): Layer {
  const found = typeof type === 'string' ? LAYERS.get(type) : undefined
  if (found) return found
  if (typeof type !== 'string') throw invalid(at, `type: expected the name of a torch.nn layer, found ${shown(type)}`)
  const nearest = nearestName(type.replace(/^(torch\.)?nn\./, ''), LAYER_TYPES)
  throw new AppError(
    'ARCHITECTURE_UNSUPPORTED_OPERATOR',
    `${at}: the layer type ${shown(type)} is not supported${nearest === null ? '' : `; did you mean "${nearest}"?`} ` +
      `Supported are ${LAYER_TYPES.join(', ')}. Any other model can be given as an ONNX file.`,
  )
}

function compileOne(
  layer: Layer,
  layerArguments: Record<string, unknown>,
  input: Flow,
  at: string,
  module: string,
  { builder }: Walk,
): Flow {
  try {
    return layer.compile(layerArguments, input, builder.site(at, layer.type, module))
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error
    throw invalid(`${at} (${layer.type})`, argumentText(error, layerArguments, layer.argumentNames))
  }
}

/** The first problem with arguments, in words. */
function argumentText(error: z.ZodError, json: unknown, known: readonly string[]): string {
  const issue = error.issues.find(({ code }) => code === 'unrecognized_keys') ?? error.issues[0]!
  if (issue.code === 'unrecognized_keys') {
    const [name] = issue.keys
    const nearest = nearestName(name!, known)
    const advice = nearest === null ? '' : `; did you mean "${nearest}"?`
    return `unknown argument "${name!}"${advice} It takes ${known.length === 0 ? 'none' : known.join(', ')}.`
  }
  if (issue.path.length === 0) return `expected an object with "layers" and "input", found ${shown(json)}`
  const value = issue.path.reduce<unknown>(
    (inside, key) => (inside as Record<PropertyKey, unknown> | undefined)?.[key],
    json,
  )
  const name = issue.path
    .map((key, i) => (typeof key === 'number' ? `[${key}]` : (i > 0 ? '.' : '') + String(key)))
    .join('')
  return value === undefined
    ? `${name} is missing; expected ${issue.message}`
    : `${name}: expected ${issue.message}, found ${shown(value)}`
}

function checkElements(at: string, { shape }: Flow, limits: ArchitectureLimits): void {
  if (shape.reduce((product, length) => product * length, 1) > limits.sampleElements)
    throw limit(at, `a sample of [${shape.join(', ')}] has more than ${limits.sampleElements} elements`)
}

/** A value as messages quote it; only the outside of what is nested. */
function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value)
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value)
  if (!Array.isArray(value)) return value === undefined ? 'nothing' : 'an object'
  const plain = value.length <= 8 && !value.some((item) => typeof item === 'object' && item !== null)
  return plain ? `[${value.map(shown).join(', ')}]` : `a list of ${value.length}`
}

const invalid = (at: string, message: string): AppError => new AppError('ARCHITECTURE_INVALID', `${at}: ${message}`)
const limit = (at: string, message: string): AppError => new AppError('LIMIT_EXCEEDED', `${at}: ${message}`)
