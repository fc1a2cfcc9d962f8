import type { DType } from '../../tensor/index.ts'
import { BARE_NAMES, DATA_CLASSES } from './data-classes.ts'

/*
 * The closed list of names that a checkpoint may hold: the 144 of PyTorch 2.13's weights_only unpickler
 * (torch/_weights_only_unpickler.py, _get_allowed_globals), and numpy scalars, arrays and plain Python classes, which training
 * checkpoints hold and which are only data here. Nothing on it is ever called: `reduce.ts` says what each becomes in the value tree.
 */

/** `torch.X` and `torch.cuda.X` storage classes with the dtype of their elements. */
const STORAGES: readonly (readonly [string, DType])[] = [
  ['DoubleStorage', 'float64'],
  ['FloatStorage', 'float32'],
  ['HalfStorage', 'float16'],
  ['BFloat16Storage', 'bfloat16'],
  ['LongStorage', 'int64'],
  ['IntStorage', 'int32'],
  ['ShortStorage', 'int16'],
  ['CharStorage', 'int8'],
  ['ByteStorage', 'uint8'],
  ['BoolStorage', 'bool'],
  ['ComplexDoubleStorage', 'complex128'],
  ['ComplexFloatStorage', 'complex64'],
]
/** `torch.X` only: quantized tensors live on the CPU. */
const QUANTIZED_STORAGES: readonly (readonly [string, DType])[] = [
  ['QInt8Storage', 'qint8'],
  ['QUInt8Storage', 'quint8'],
  ['QInt32Storage', 'qint32'],
  ['QUInt4x2Storage', 'quint4x2'],
  ['QUInt2x4Storage', 'quint2x4'],
]

/** Storage classes by path. An UntypedStorage counts bytes. */
export const STORAGE_DTYPES: ReadonlyMap<string, DType> = new Map<string, DType>([
  ...STORAGES.flatMap(([name, dtype]) => [[`torch.${name}`, dtype] as const, [`torch.cuda.${name}`, dtype] as const]),
  ...QUANTIZED_STORAGES.map(([name, dtype]) => [`torch.${name}`, dtype] as const),
  ['torch.storage.UntypedStorage', 'uint8'],
])

/** Names after `torch.` that are dtypes, also those that no tensor of ours can have. */
const DTYPE_NAMES = [
  ['bfloat16', 'bool', 'complex32', 'complex64', 'complex128', 'float16', 'float32', 'float64'],
  ['float8_e4m3fn', 'float8_e4m3fnuz', 'float8_e5m2', 'float8_e5m2fnuz', 'float8_e8m0fnu', 'float4_e2m1fn_x2'],
  [1, 2, 3, 4, 5, 6, 7, 8, 16, 32, 64].flatMap((bits) => [`int${bits}`, `uint${bits}`]),
  ['bits8', 'bits16', 'bits1x8', 'bits2x4', 'bits4x2', 'qint8', 'qint32', 'quint8', 'quint4x2', 'quint2x4'],
].flat()
const DTYPES: ReadonlySet<string> = new Set(DTYPE_NAMES.map((name) => `torch.${name}`))

/** The dtype name of a path like `torch.float32`; undefined for every other path. */
export const dtypeOfPath = (path: string): string | undefined =>
  DTYPES.has(path) ? path.slice('torch.'.length) : undefined

const TENSOR_TYPES = ['Double', 'Float', 'Half', 'BFloat16', 'Long', 'Int', 'Short', 'Char', 'Byte'].map(
  (name) => `${name}Tensor`,
)

/** PyTorch's own list: 144 names. */
export const TORCH_GLOBALS: ReadonlySet<string> = new Set([
  'collections.OrderedDict',
  'collections.Counter',
  'builtins.bytearray',
  'builtins.set',
  'builtins.complex',
  '_codecs.encode',
  'torch.Size',
  'torch.Tensor',
  'torch.device',
  'torch.nn.parameter.Parameter',
  'torch.serialization._get_layout',
  'torch._tensor._rebuild_from_type_v2',
  'torch._utils._rebuild_tensor',
  'torch._utils._rebuild_tensor_v2',
  'torch._utils._rebuild_tensor_v3',
  'torch._utils._rebuild_parameter',
  'torch._utils._rebuild_parameter_with_state',
  'torch._utils._rebuild_qtensor',
  'torch._utils._rebuild_sparse_tensor',
  'torch._utils._rebuild_nested_tensor',
  'torch._utils._rebuild_meta_tensor_no_storage',
  'torch._utils._rebuild_wrapper_subclass',
  'torch._utils._rebuild_device_tensor_from_numpy',
  'torch._utils._rebuild_device_tensor_from_cpu_tensor',
  'torch.storage.TypedStorage',
  'torch.per_tensor_affine',
  'torch.per_tensor_symmetric',
  'torch.per_channel_affine',
  'torch.per_channel_symmetric',
  'torch.per_channel_affine_float_qparams',
  ...STORAGE_DTYPES.keys(),
  ...DTYPES,
  ...['torch', 'torch.cuda', 'torch.sparse', 'torch.cuda.sparse'].flatMap((module) =>
    TENSOR_TYPES.map((type) => `${module}.${type}`),
  ),
  'torch.BoolTensor',
  'torch.cuda.BoolTensor',
])

/** What is kept as data beyond PyTorch's list, which needs `add_safe_globals` for them: numbers and arrays of numpy, plain classes. */
export const DATA_GLOBALS: ReadonlySet<string> = new Set([
  'numpy.dtype',
  'numpy.ndarray',
  'numpy.core.multiarray.scalar',
  'numpy._core.multiarray.scalar',
  'numpy.core.multiarray._reconstruct',
  'numpy._core.multiarray._reconstruct',
  'numpy.core.numeric._frombuffer',
  'numpy._core.numeric._frombuffer',
  'builtins.bytes',
  // Sparse CSR of PyTorch 1.13 and older.
  'torch._utils._rebuild_sparse_csr_tensor',
  ...DATA_CLASSES.keys(),
  ...BARE_NAMES,
])

/** Whether a path is on the closed list. */
export const isAllowedGlobal = (path: string): boolean => TORCH_GLOBALS.has(path) || DATA_GLOBALS.has(path)

/** Python 2 module names, which protocol 2 still writes. Source: CPython Lib/_compat_pickle.py, IMPORT_MAPPING. */
const PYTHON_2_MODULES: ReadonlyMap<string, string> = new Map([
  ['__builtin__', 'builtins'],
  ['copy_reg', 'copyreg'],
  ['Queue', 'queue'],
  ['repr', 'reprlib'],
  ['_abcoll', 'collections.abc'],
  ['UserDict', 'collections'],
  ['UserList', 'collections'],
  ['UserString', 'collections'],
  ['whichdb', 'dbm'],
  ['StringIO', 'io'],
  ['cStringIO', 'io'],
  ['commands', 'subprocess'],
  ['exceptions', 'builtins'],
])

/** Python 2 names of the modules above that have another name now. Source: NAME_MAPPING of the same file. */
const PYTHON_2_NAMES: ReadonlyMap<string, readonly [string, string]> = new Map([
  ['__builtin__.xrange', ['builtins', 'range']],
  ['__builtin__.long', ['builtins', 'int']],
  ['__builtin__.unicode', ['builtins', 'str']],
  ['__builtin__.unichr', ['builtins', 'chr']],
  ['__builtin__.reduce', ['functools', 'reduce']],
  ['__builtin__.intern', ['sys', 'intern']],
])

/** Module and name as Python 3 knows them. */
export function python3Name(module: string, name: string): readonly [string, string] {
  return PYTHON_2_NAMES.get(`${module}.${name}`) ?? [PYTHON_2_MODULES.get(module) ?? module, name]
}
