import {
  BINPERSID,
  call,
  dict,
  FALSE,
  global,
  int,
  list,
  NONE,
  ORDERED_DICT,
  pickle,
  str,
  TRUE,
  tuple,
  type Part,
} from './build-pickle.ts'

/** A storage behind the pickles: its key and its elements as bytes. */
export interface LegacyStorage {
  readonly key: string
  readonly bytes: Uint8Array
  /** Elements that are written before the bytes. */
  readonly count: number | bigint
}

/** What a test may change of a file. */
export interface LegacySpec {
  readonly magic?: Part
  readonly version?: Part
  readonly system?: Part
  readonly keys?: Part
  readonly trailing?: Uint8Array
}

export const MAGIC = Buffer.from('8a0a6cfc9c46f9206aa85019', 'hex')
export const SYSTEM = dict({ protocol_version: int(1001), little_endian: TRUE, type_sizes: dict({ int: int(4) }) })

/** A file of torch.save before PyTorch 1.6 that holds one value. */
export function legacyFile(value: Part, storages: readonly LegacyStorage[], spec: LegacySpec = {}): Buffer {
  return Buffer.concat([
    pickle(spec.magic ?? MAGIC),
    pickle(spec.version ?? int(1001)),
    pickle(spec.system ?? SYSTEM),
    pickle(value),
    pickle(spec.keys ?? list(...storages.map(({ key }) => str(key)))),
    ...storages.flatMap(({ bytes, count }) => [int64(count), bytes]),
    spec.trailing ?? Buffer.alloc(0),
  ])
}

function int64(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64LE(BigInt(value))
  return bytes
}

/** The persistent id of a storage, or of a part of it: `view` is its key, offset and length in elements. */
export const legacyStorage = (
  cls: string,
  key: string,
  numel: number,
  view?: readonly [key: string, offset: number, numel: number],
): Part =>
  Buffer.concat([
    tuple(
      str('storage'),
      global('torch', cls),
      str(key),
      str('cpu'),
      int(numel),
      view === undefined ? NONE : tuple(str(view[0]), int(view[1]), int(view[2])),
    ),
    BINPERSID,
  ])

/** `_rebuild_tensor_v2` of a storage. */
export const legacyTensor = (storage: Part, size: readonly number[], stride: readonly number[], offset = 0): Part =>
  call(
    global('torch._utils', '_rebuild_tensor_v2'),
    storage,
    int(offset),
    tuple(...size.map(int)),
    tuple(...stride.map(int)),
    FALSE,
    ORDERED_DICT,
  )
