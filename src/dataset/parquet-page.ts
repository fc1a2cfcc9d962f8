/** Numbers of a page's header by their ids, structs within it by theirs. Fields of other types are passed over. */
type Fields = ReadonlyMap<number, number | boolean | Fields>

/** The header of a page of a column, as far as flat columns need it (parquet-format, parquet.thrift). */
export interface PageHeader {
  readonly kind: 'DATA' | 'DATA_V2' | 'DICTIONARY' | 'OTHER'
  readonly unpackedBytes: number
  readonly packedBytes: number
  /** Nothing at all is a value too. */
  readonly values: number
  readonly encoding: number
  /** Of definition levels that lie before the values and are not packed; only of DATA_V2. */
  readonly levelBytes: number
  readonly packed: boolean
}

const KINDS: ReadonlyMap<number, PageHeader['kind']> = new Map([
  [0, 'DATA'],
  [2, 'DICTIONARY'],
  [3, 'DATA_V2'],
])
/** Which field of the header describes a page of a kind. */
const DETAILS = { DATA: 5, DICTIONARY: 7, DATA_V2: 8, OTHER: 0 } as const
/** Structs in structs: the statistics are the second. */
const MOST_DEPTH = 8

/**
 * Reads the header at `at`.
 * @returns the header, and where the page begins.
 * @throws Error for what is no header.
 */
export function pageHeader(bytes: Uint8Array, at: number): { readonly header: PageHeader; readonly end: number } {
  const reader = compactReader(bytes, at)
  const fields = reader.struct(0)
  const kind: PageHeader['kind'] = KINDS.get(numberAt(fields, 1)) ?? 'OTHER'
  const found = fields.get(DETAILS[kind])
  const details: Fields = found instanceof Map ? found : new Map<number, number>()
  const isV2 = kind === 'DATA_V2'
  const header: PageHeader = {
    kind,
    unpackedBytes: numberAt(fields, 2),
    packedBytes: numberAt(fields, 3),
    values: kind === 'OTHER' ? 0 : numberAt(details, 1),
    encoding: kind === 'OTHER' ? 0 : numberAt(details, isV2 ? 4 : 2),
    levelBytes: isV2 ? numberAt(details, 5) + numberAt(details, 6) : 0,
    packed: !isV2 || details.get(7) !== false,
  }
  for (const value of [header.unpackedBytes, header.packedBytes, header.values, header.levelBytes])
    if (value < 0) throw new Error(`the header of a page has the size ${value}`)
  return { header, end: reader.position() }
}

function numberAt(fields: Fields, id: number): number {
  const value = fields.get(id)
  if (typeof value !== 'number') throw new Error(`the header of a page has no field ${id}`)
  return value
}

/** Reads Thrift's compact protocol (thrift-compact-protocol.md). */
function compactReader(bytes: Uint8Array, start: number) {
  let at = start

  function byte(): number {
    const value = bytes[at++]
    if (value === undefined) throw new Error('the header of a page is cut off')
    return value
  }
  /** Seven bits a byte; beyond 2⁵³ only its length matters. */
  function varint(): number {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const part = byte()
      value += (part & 0x7f) * scale
      if (part < 128) return value
      if (scale > 2 ** 63) throw new Error('the header of a page has a number that does not end')
    }
  }
  const zigzag = (): number => {
    const value = varint()
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }
  const skip = (length: number): void => {
    if (length > bytes.length - at) throw new Error('the header of a page is cut off')
    at += length
  }

  function value(type: number, depth: number): number | boolean | Fields | null {
    switch (type) {
      case 1:
      case 2:
        return type === 1
      case 3:
        skip(1)
        return null
      case 4:
      case 5:
      case 6:
        return zigzag()
      case 7:
        skip(8)
        return null
      case 8:
        skip(varint())
        return null
      case 12:
        return struct(depth + 1)
      default:
        throw new Error(`the header of a page has a field of type ${type}`)
    }
  }

  function struct(depth: number): Fields {
    if (depth > MOST_DEPTH) throw new Error('the header of a page is too deep')
    const fields = new Map<number, number | boolean | Fields>()
    for (let id = 0; ;) {
      const head = byte()
      if (head === 0) return fields
      id = head >> 4 === 0 ? zigzag() : id + (head >> 4)
      const found = value(head & 15, depth)
      if (found !== null) fields.set(id, found)
    }
  }

  return { struct, position: () => at }
}
