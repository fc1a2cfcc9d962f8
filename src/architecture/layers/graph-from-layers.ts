import { z } from 'zod'
import { AppError } from '../../error.ts'
import { checkGraph } from '../check-graph.ts'
import type { Graph } from '../graph.ts'
import { DEFAULT_ARCHITECTURE_LIMITS, type ArchitectureLimits } from '../limits.ts'
import { size } from './arguments.ts'
import { createGraphBuilder, type GraphBuilder } from './builder.ts'
import { batchText, type Flow, type Layer } from './layer.ts'
import { nearestName } from './nearest-name.ts'
import { LAYER_TYPES, LAYERS, RESIDUAL, SEQUENTIAL } from './table.ts'

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
 * `nn.Sequential(OrderedDict(…))` does. `{"type": "Residual", "layers": […], "shortcut": {…}, "after": […]}` adds what its layers give to its
 * input, or to what the shortcut makes of it. Parameters are named as in that model's state_dict.
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

/** Where layers are compiled: a list, or a Residual. */
interface Place {
  /** Of the keys: `layer1.`. */
  readonly prefix: string
  /** Of messages: `layers[3].layers`. */
  readonly path: string
  readonly depth: number
  /** Names that the module has already. */
  readonly names: Set<string>
}

function compileAll(
  layers: readonly unknown[],
  input: Flow,
  prefix: string,
  path: string,
  depth: number,
  walk: Walk,
): Flow {
  const place: Place = { prefix, path, depth, names: new Set() }
  return compileList(layers, input, place, walk)
}

function compileList(layers: readonly unknown[], input: Flow, place: Place, walk: Walk, unnamed = ''): Flow {
  if (place.depth > walk.limits.depth) throw limit(place.path, `is nested more than ${walk.limits.depth} levels deep`)
  let flow = input
  for (const [index, json] of layers.entries())
    flow = compileLayer(json, `${place.path}[${index}]`, `${unnamed}${index}`, flow, place, walk)
  return flow
}

function compileLayer(json: unknown, at: string, index: string, input: Flow, place: Place, walk: Walk): Flow {
  if (++walk.count > walk.limits.layers) throw limit(at, `there are more than ${walk.limits.layers} layers`)
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw invalid(at, `expected an object such as {"type": "ReLU"}, found ${shown(json)}`)
  const { type, name = index, ...layerArguments } = json as Record<string, unknown>
  if (!NAME.safeParse(name).success)
    throw invalid(at, `name: expected a name without dots and slashes, as torch wants it, found ${shown(name)}`)
  if (place.names.has(name as string))
    throw invalid(at, `another layer of this module is called ${shown(name)} already`)
  place.names.add(name as string)
  const module = `${place.prefix}${name as string}`
  const flow =
    type === SEQUENTIAL
      ? compileSequential(layerArguments, at, module, input, place, walk)
      : type === RESIDUAL
        ? compileResidual(layerArguments, at, module, input, place, walk)
        : compileOne(layerOf(type, at), layerArguments, input, at, module, walk)
  checkElements(at, flow, walk.limits)
  return flow
}

function compileSequential(
  { layers, ...others }: Record<string, unknown>,
  at: string,
  module: string,
  input: Flow,
  { depth }: Place,
  walk: Walk,
): Flow {
  const [other] = Object.keys(others)
  if (!Array.isArray(layers))
    throw invalid(`${at} (Sequential)`, `layers: expected a list of layers, found ${shown(layers)}`)
  if (other !== undefined) throw invalid(`${at} (Sequential)`, `unknown argument "${other}"; it has "layers" only`)
  return compileAll(layers, input, `${module}.`, `${at}.layers`, depth + 1, walk)
}

/** All layers of a Residual are children of one module, as those of a block of a ResNet are: `layer1.0.conv1`, `layer1.0.downsample.0`. */
function compileResidual(
  { layers, shortcut = null, after = [], ...others }: Record<string, unknown>,
  at: string,
  module: string,
  input: Flow,
  { depth }: Place,
  walk: Walk,
): Flow {
  const where = `${at} (Residual)`
  const [other] = Object.keys(others)
  if (other !== undefined)
    throw invalid(where, `unknown argument "${other}"; it has "layers", "shortcut" and "after" only`)
  if (!Array.isArray(layers)) throw invalid(where, `layers: expected a list of layers, found ${shown(layers)}`)
  if (!Array.isArray(after)) throw invalid(where, `after: expected a list of layers, found ${shown(after)}`)
  const place = { prefix: `${module}.`, depth: depth + 1, names: new Set<string>() }
  const main = compileList(layers, input, { ...place, path: `${at}.layers` }, walk)
  const own = { ...place, path: `${at}.shortcut` }
  const beside = shortcut === null ? input : compileLayer(shortcut, own.path, 'shortcut', input, own, walk)
  if (main.shape.join() !== beside.shape.join() || main.dtype !== beside.dtype)
    throw invalid(
      where,
      `its layers give ${batchText(main.shape)}, its ${shortcut === null ? 'input' : 'shortcut'} is ${batchText(beside.shape)}; ` +
        'they are added, and have to be alike' +
        (shortcut === null ? ' (a "shortcut" can make them so)' : ''),
    )
  const site = walk.builder.site(at, RESIDUAL, module)
  const sum = { ...main, value: site.node('Add', [main.value, beside.value]) }
  return compileList(after, sum, { ...place, path: `${at}.after` }, walk, 'after')
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
