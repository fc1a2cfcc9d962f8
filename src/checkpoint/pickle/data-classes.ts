/** How a pickle makes an object of a class of the closed list that is kept as data. */
export interface DataClass {
  /** Fewest and most arguments of REDUCE. */
  readonly call: readonly [number, number]
  /** Whether NEWOBJ makes one, without arguments. */
  readonly byNew?: true
  /** What BUILD sets. */
  readonly state?: 'dict' | 'tuple'
  /** What fills it afterwards: APPEND(S) or SETITEM(S). */
  readonly filled?: 'items' | 'entries'
}

const PATH: DataClass = { call: [0, 4096] }

/**
 * Python's plain classes that training scripts put next to the weights. Each holds values and nothing else, making one calls
 * no code of a user, and its pickle is the same in every version of Python that has torch. They are shown and written back,
 * never made. numpy's are in `reduce.ts`.
 */
export const DATA_CLASSES: ReadonlyMap<string, DataClass> = new Map<string, DataClass>([
  ['argparse.Namespace', { call: [0, 0], byNew: true, state: 'dict' }],
  ['types.SimpleNamespace', { call: [0, 0], state: 'dict' }],
  ['collections.defaultdict', { call: [0, 1], filled: 'entries' }],
  ['collections.deque', { call: [0, 2], filled: 'items' }],
  ['builtins.slice', { call: [3, 3] }],
  ['builtins.range', { call: [3, 3] }],
  ['builtins.frozenset', { call: [0, 1] }],
  ['datetime.date', { call: [1, 1] }],
  ['datetime.time', { call: [1, 2] }],
  ['datetime.datetime', { call: [1, 2] }],
  ['datetime.timedelta', { call: [3, 3] }],
  ['datetime.timezone', { call: [1, 2] }],
  ['decimal.Decimal', { call: [1, 1] }],
  ['fractions.Fraction', { call: [1, 2] }],
  // Python 3.13 moved the classes into a module of its own.
  ...['pathlib', 'pathlib._local'].flatMap((module) =>
    ['PosixPath', 'WindowsPath', 'PurePosixPath', 'PureWindowsPath', 'Path', 'PurePath'].map(
      (name) => [`${module}.${name}`, PATH] as const,
    ),
  ),
])

/**
 * Names that stand for themselves and are never called: types as values (`defaultdict(list)`), and the classes by which Lightning
 * before 1.5 keyed the states of its callbacks.
 */
export const BARE_NAMES: readonly string[] = [
  ...['bool', 'dict', 'float', 'int', 'list', 'str', 'tuple'].map((name) => `builtins.${name}`),
  'pytorch_lightning.callbacks.early_stopping.EarlyStopping',
  'pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint',
]
