/** Pieces of pickles, written opcode by opcode, to build what no pickler writes. */

/** A part of a pickle that leaves one value on the stack. */
export type Part = Buffer

const bytes = (...values: readonly number[]): Buffer => Buffer.from(values)

function uint32(opcode: number, value: number): Buffer {
  const buffer = Buffer.alloc(5)
  buffer[0] = opcode
  buffer.writeUInt32LE(value, 1)
  return buffer
}

export const MARK = bytes(0x28)
export const NONE: Part = bytes(0x4e)
export const TRUE: Part = bytes(0x88)
export const FALSE: Part = bytes(0x89)
export const EMPTY_DICT: Part = bytes(0x7d)
export const EMPTY_LIST: Part = bytes(0x5d)
export const EMPTY_TUPLE: Part = bytes(0x29)
export const STOP = bytes(0x2e)
export const REDUCE = bytes(0x52)
export const BUILD = bytes(0x62)
export const BINPERSID = bytes(0x51)
export const NEWOBJ = bytes(0x81)

/** A whole pickle of protocol 2. */
export const pickle = (...parts: readonly Part[]): Buffer => Buffer.concat([bytes(0x80, 2), ...parts, STOP])

export const put = (index: number): Buffer => uint32(0x72, index)
export const get = (index: number): Part => uint32(0x6a, index)

/** BININT where it fits, LONG1 otherwise. */
export function int(value: number | bigint): Part {
  if (typeof value === 'number' && value === (value | 0)) return uint32(0x4a, value >>> 0)
  const hex = BigInt.asUintN(128, BigInt(value)).toString(16).padStart(32, '0')
  return Buffer.concat([bytes(0x8a, 16), Buffer.from(hex, 'hex').reverse()])
}

export function float(value: number): Part {
  const buffer = Buffer.alloc(9)
  buffer[0] = 0x47
  buffer.writeDoubleBE(value, 1)
  return buffer
}

export function str(value: string): Part {
  const text = Buffer.from(value)
  return Buffer.concat([uint32(0x58, text.length), text])
}

export const global = (module: string, name: string): Part => Buffer.from(`c${module}\n${name}\n`)
export const tuple = (...items: readonly Part[]): Part => Buffer.concat([MARK, ...items, bytes(0x74)])
export const list = (...items: readonly Part[]): Part => Buffer.concat([EMPTY_LIST, MARK, ...items, bytes(0x65)])
export const call = (callable: Part, ...args: readonly Part[]): Part =>
  Buffer.concat([callable, tuple(...args), REDUCE])
export const build = (object: Part, state: Part): Part => Buffer.concat([object, state, BUILD])
export const setItems = (target: Part, ...items: readonly Part[]): Part =>
  Buffer.concat([target, MARK, ...items, bytes(0x75)])
export const dict = (entries: Readonly<Record<string, Part>>): Part =>
  setItems(EMPTY_DICT, ...Object.entries(entries).flatMap(([key, value]) => [str(key), value]))

export const ORDERED_DICT: Part = call(global('collections', 'OrderedDict'))

/** A persistent id of torch.save's zip format. */
export const storage = (cls: string, key: string, numel: number | bigint, location = 'cpu'): Part =>
  Buffer.concat([tuple(str('storage'), storageClass(cls), str(key), str(location), int(numel)), BINPERSID])

const storageClass = (cls: string): Part =>
  cls === 'UntypedStorage' ? global('torch.storage', cls) : global('torch', cls)

/** What `tensor` lets a test change. */
export interface TensorSpec {
  readonly storage?: Part
  readonly offset?: Part
  readonly size?: readonly (number | bigint)[]
  readonly stride?: readonly (number | bigint)[]
  readonly requiresGrad?: Part
  readonly hooks?: Part
  readonly metadata?: Part
}

/** `_rebuild_tensor_v2`: six float32 of storage '0' as 2 × 3 unless told otherwise. */
export function tensor(spec: TensorSpec = {}): Part {
  return call(
    global('torch._utils', '_rebuild_tensor_v2'),
    spec.storage ?? storage('FloatStorage', '0', 6),
    spec.offset ?? int(0),
    tuple(...(spec.size ?? [2, 3]).map(int)),
    tuple(...(spec.stride ?? [3, 1]).map(int)),
    spec.requiresGrad ?? FALSE,
    spec.hooks ?? ORDERED_DICT,
    ...(spec.metadata ? [spec.metadata] : []),
  )
}
