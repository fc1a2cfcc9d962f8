import { AppError } from '../../error.ts'
import type { Constant, Parameter } from '../graph.ts'
import { isFloat } from '../operators/elements.ts'
import { EXPORT_RECIPE } from './export-recipe.ts'
import { mentions, type ExportedTensor } from './export-notes.ts'
import type { GraphProto, TensorProto } from './onnx_pb.ts'
import { readTensor, tensorHeader } from './tensor-proto.ts'
import { findTiedKeys } from './tied-keys.ts'

/** The initializers of an ONNX file, told apart: what a checkpoint brings and what belongs to the graph. */
export interface Initializers {
  readonly parameters: readonly Parameter[]
  readonly constants: readonly Constant[]
}

/** Values that nodes give and that a tensor of the state_dict stands behind: output name → initializer. */
export type Duplicates = ReadonlyMap<string, TensorProto>

// Names that exporters make up: onnx::Conv_129, val_12, 42, /layer/Constant_output_0.
const INVENTED = /^(onnx::|\/|val_\d+$|\d+$|Constant_\d+$|_?tensor_constant\d+$|lifted_tensor_\d+$)/

/** Whether an exporter made the name up. */
export const isInvented = (name: string): boolean => INVENTED.test(name)

/**
 * Parameters and constants among the initializers and the duplicates of them that the exporter put behind Identity nodes.
 * @throws AppError ARCHITECTURE_NOT_STATE_DICT_KEYS when weights have other names than those of a state_dict.
 */
export function readInitializers(
  graph: GraphProto,
  byPyTorch: boolean,
  exported: ReadonlyMap<string, ExportedTensor> | null,
  duplicates: Duplicates,
): Initializers {
  const parameters: Parameter[] = []
  const constants: Constant[] = []
  const strangers: TensorProto[] = []
  // PyTorch names whole numbers only where they are buffers of the module; others name their axes, shapes and tables too.
  const listedAsInput = new Set(graph.input.map(({ name }) => name))
  for (const [name, tensor] of [...graph.initializer.map((tensor) => [tensor.name, tensor] as const), ...duplicates]) {
    const label = `initializer ${name}`
    const { dtype, shape } = tensorHeader(tensor, label)
    const note = exported?.get(name)
    if (note ? note.inStateDict : !exported && isKey(name, isFloat(dtype) || byPyTorch || listedAsInput.has(name)))
      parameters.push({ name, keys: [name], dtype, shape, optional: false })
    else if (note || !isFloat(dtype)) constants.push(readTensor(tensor, name, label))
    else strangers.push(tensor)
  }
  if (!exported) return { parameters, constants: [...constants, ...refuse(strangers)] }

  const present = new Set(graph.initializer.map(({ name }) => name))
  const missing = [...exported.values()].filter(({ key, inStateDict }) => inStateDict && !present.has(key))
  const tied = findTiedKeys(graph, exported, missing)
  const aliases = new Set([...tied.values()].flat())
  const lost = missing.filter(({ key }) => !aliases.has(key) && !key.endsWith('num_batches_tracked'))
  const folded = lost.filter(({ symbol }) => graph.node.some((node) => mentions(node, symbol)))
  // A single number may be folded from a weight that is lost; without one it is a constant of the model.
  const single = (tensor: TensorProto): boolean => lost.length === 0 && tensor.dims.every((size) => size === 1n)
  refuse(
    strangers.filter((tensor) => !single(tensor)),
    folded,
  )
  return {
    parameters: parameters.map((parameter) => ({
      ...parameter,
      keys: [parameter.name, ...(tied.get(parameter.name) ?? [])],
    })),
    constants: [
      ...constants,
      ...strangers.map((tensor) => readTensor(tensor, tensor.name, `initializer ${tensor.name}`)),
    ],
  }
}

const isKey = (name: string, named: boolean): boolean => !isInvented(name) && (named || name.includes('.'))

function refuse(strangers: readonly TensorProto[], folded: readonly ExportedTensor[] = []): [] {
  const names = [...strangers.map(({ name }) => name), ...folded.map(({ key }) => `${key} (folded into other weights)`)]
  if (names.length === 0) return []
  const shown = names.slice(0, 5).join(', ') + (names.length > 5 ? `, and ${names.length - 5} more` : '')
  throw new AppError(
    'ARCHITECTURE_NOT_STATE_DICT_KEYS',
    `${names.length} weights of the ONNX file are not those of the state_dict: ${shown}. The exporter folded or renamed ` +
      `them, so that a checkpoint cannot be bound by name. ${EXPORT_RECIPE}`,
  )
}
