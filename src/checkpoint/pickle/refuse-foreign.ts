import { quoted } from '../../container/index.ts'
import { AppError } from '../../error.ts'
import type { GlobalReference } from '../value-tree.ts'
import { dangerOf, REACHES_ATTRIBUTES, unknownDanger } from './danger.ts'
import { DATA_GLOBALS, TORCH_GLOBALS } from './globals.ts'
import type { PickleResult } from './machine.ts'
import type { PickleValue } from './pickle-value.ts'

/**
 * The refusal of a pickle that names something outside of the closed list: what could do harm first, then a whole pickled
 * module, then anything else. Undefined when every name is allowed. Nothing was executed in any case.
 */
export function refusalOf(pickle: PickleResult, fileName: string, where: string): AppError | undefined {
  const [first] = pickle.foreign
  if (!first) return undefined
  const dangerous = pickle.foreign.filter((reference) => dangerOf(reference) !== undefined)
  const worst = dangerous.find((reference) => dangerOf(reference) !== REACHES_ATTRIBUTES)
  if (worst) return dangerousName(worst, pickle.foreign, where)
  const modules = moduleClasses(pickle)
  if (modules.length > 0) return wholeModule(modules, fileName)
  return dangerous[0] ? dangerousName(dangerous[0], pickle.foreign, where) : unknownName(first, pickle, where)
}

/**
 * The value of a pickle.
 * @throws AppError the refusal, or why the pickle could not be read.
 */
export function valueOf(pickle: PickleResult, fileName: string, where: string): PickleValue {
  const refusal = refusalOf(pickle, fileName, where)
  if (refusal) throw refusal
  if (pickle.value === undefined) throw pickle.failure
  return pickle.value
}

/** Classes of pickled modules; torch's own classes also count where the pickle ends before their state is set. */
function moduleClasses({ modules, foreign, failure }: PickleResult): readonly GlobalReference[] {
  if (modules.length === 0 && failure === undefined) return []
  return foreign.filter((name) => modules.includes(name) || isTorchModule(name))
}

const isTorchModule = ({ module }: GlobalReference): boolean => module.startsWith('torch.nn.modules.')

function wholeModule(classes: readonly GlobalReference[], fileName: string): AppError {
  return new AppError(
    'CHECKPOINT_WHOLE_MODULE',
    `${fileName}: the file holds a whole pickled module (${list(classes)}) instead of a state_dict. Loading it would execute ` +
      `code, so only its weights can be taken. In Python, where the classes are defined: torch.save(model.state_dict(), ` +
      `'state_dict.pth'), and upload that file.`,
  )
}

function dangerousName(name: GlobalReference, all: readonly GlobalReference[], where: string): AppError {
  return new AppError(
    'CHECKPOINT_UNSAFE_GLOBAL',
    `${where}, byte ${name.offset}: the pickle names ${path(name)}, which ${dangerOf(name)!}. Nothing was executed. ` +
      `A checkpoint never needs it: do not load this file in Python, and get it from a source you trust.${others(name, all)}`,
  )
}

function unknownName(name: GlobalReference, { foreign, uses }: PickleResult, where: string): AppError {
  return new AppError(
    'CHECKPOINT_UNSAFE_GLOBAL',
    `${where}, byte ${name.offset}: the pickle names ${path(name)}, which is not on the closed list of ` +
      `${TORCH_GLOBALS.size + DATA_GLOBALS.size} names that a checkpoint may hold. Loading it in Python ` +
      `${unknownDanger(name, uses.get(name))}. Nothing was executed. ${adviceFor(name)}${others(name, foreign)}`,
  )
}

/** How to save what people often keep next to the weights. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/^omegaconf\./, 'Save OmegaConf.to_container(config) instead of the config.'],
  [/^(easydict|box|addict|munch|yacs|ml_collections)\./, 'Save a plain dict of it instead: dict(x).'],
  [
    /^(pytorch_lightning|lightning)\./,
    'Load it with Lightning and save its weights: torch.save(module.state_dict(), path).',
  ],
  [/^numpy\.random\./, 'Save its state as data: np.random.get_state(), or generator.bit_generator.state.'],
  [
    /^torch\.nn\.parameter\.Uninitialized/,
    'Run the lazy module once, so that its parameters have values, and save it then.',
  ],
  [/^torch\.nested\./, 'Save the values and offsets of a jagged tensor as two tensors.'],
  [/^torch\._C\.Generator$/, 'Save generator.get_state(), a tensor.'],
  [
    /^transformers\./,
    'Save the weights alone: model.save_pretrained(folder), or torch.save(model.state_dict(), path).',
  ],
]

const adviceFor = ({ module, name }: GlobalReference): string =>
  ADVICE.find(([pattern]) => pattern.test(`${module}.${name}`))?.[1] ??
  'Save tensors, numbers, strings, lists and dicts only: torch.save(model.state_dict(), path).'

function others(name: GlobalReference, all: readonly GlobalReference[]): string {
  const rest = all.filter((other) => other !== name)
  return rest.length === 0 ? '' : ` Also named: ${list(rest)}.`
}

const SHOWN = 8

const list = (names: readonly GlobalReference[]): string =>
  names.slice(0, SHOWN).map(path).join(', ') + (names.length > SHOWN ? ` and ${names.length - SHOWN} more` : '')

/** Plain where it is an ordinary name, quoted where it could be anything. */
function path({ module, name }: GlobalReference): string {
  const text = `${module}.${name}`
  return /^[\w.<>]{1,200}$/.test(text) ? text : quoted(text)
}
