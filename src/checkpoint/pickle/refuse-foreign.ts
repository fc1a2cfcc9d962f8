import { quoted } from '../../container/index.ts'
import { AppError } from '../../error.ts'
import type { GlobalReference } from '../value-tree.ts'
import { dangerOf, REACHES_ATTRIBUTES } from './danger.ts'
import { DATA_GLOBALS, TORCH_GLOBALS } from './globals.ts'
import type { PickleResult } from './machine.ts'

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
  return dangerous[0] ? dangerousName(dangerous[0], pickle.foreign, where) : unknownName(first, pickle.foreign, where)
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

function unknownName(name: GlobalReference, all: readonly GlobalReference[], where: string): AppError {
  return new AppError(
    'CHECKPOINT_UNSAFE_GLOBAL',
    `${where}, byte ${name.offset}: the pickle names ${path(name)}, which is not on the closed list of ` +
      `${TORCH_GLOBALS.size + DATA_GLOBALS.size} names that a checkpoint may hold. Nothing was executed. ` +
      `${adviceFor(name)}${others(name, all)}`,
  )
}

/** How to save what people often keep next to the weights. */
const ADVICE: ReadonlyMap<string, string> = new Map([
  ['argparse.Namespace', 'Save vars(args) instead of args.'],
  ['collections.defaultdict', 'Save dict(x) instead of the defaultdict.'],
  ['builtins.frozenset', 'Save a set or a list instead of the frozenset.'],
  ['builtins.slice', 'Save a tuple instead of the slice.'],
  ['builtins.range', 'Save a list instead of the range.'],
  ['pathlib.PosixPath', 'Save str(path) instead of the path.'],
  ['pathlib.WindowsPath', 'Save str(path) instead of the path.'],
])

const adviceFor = ({ module, name }: GlobalReference): string =>
  ADVICE.get(`${module}.${name}`) ??
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
