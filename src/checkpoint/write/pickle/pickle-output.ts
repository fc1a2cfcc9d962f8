import { OPCODE } from '../../pickle/opcodes.ts'
import { byteWriter, type ByteWriter } from '../byte-writer.ts'

/** A pickle of protocol 2 that is being written, opcode by opcode as CPython's pickler writes them. */
export interface PickleOutput {
  readonly bytes: ByteWriter
  /** Memo numbers of strings and globals, which have no identity. */
  readonly texts: Map<string, number>
  readonly globals: Map<string, number>
  memoCount: number
}

/** Begins a pickle. */
export function openPickle(): PickleOutput {
  const bytes = byteWriter()
  bytes.uint8(OPCODE.PROTO)
  bytes.uint8(2)
  return { bytes, texts: new Map(), globals: new Map(), memoCount: 0 }
}

/** One opcode without an argument. */
export const emit = ({ bytes }: PickleOutput, opcode: keyof typeof OPCODE): void => bytes.uint8(OPCODE[opcode])

/** Memoises the value on top; returns its number. The pickler of torch.save memoises everything that has identity. */
export function memoize(output: PickleOutput): number {
  const { bytes } = output
  const index = output.memoCount++
  if (index < 256) {
    bytes.uint8(OPCODE.BINPUT)
    bytes.uint8(index)
  } else {
    bytes.uint8(OPCODE.LONG_BINPUT)
    bytes.uint32(index)
  }
  return index
}

/** Pushes what was memoised. */
export function recall({ bytes }: PickleOutput, index: number): void {
  if (index < 256) {
    bytes.uint8(OPCODE.BINGET)
    bytes.uint8(index)
  } else {
    bytes.uint8(OPCODE.LONG_BINGET)
    bytes.uint32(index)
  }
}

/** A str. Equal ones are one object: identity of strings means nothing. */
export function emitText(output: PickleOutput, value: string): void {
  const known = output.texts.get(value)
  if (known !== undefined) recall(output, known)
  else output.texts.set(value, emitNewText(output, value))
}

/** A str that is written whether there is an equal one or not; returns its memo number. */
export function emitNewText(output: PickleOutput, value: string): number {
  const { bytes } = output
  const encoded = Buffer.from(value, 'utf8')
  bytes.uint8(OPCODE.BINUNICODE)
  bytes.uint32(encoded.length)
  bytes.bytes(encoded)
  return memoize(output)
}

/** Protocol 2 calls some modules what Python 2 called them. Source: CPython Lib/_compat_pickle.py, REVERSE_IMPORT_MAPPING. */
const PYTHON_2_MODULES: ReadonlyMap<string, string> = new Map([
  ['builtins', '__builtin__'],
  ['copyreg', 'copy_reg'],
])

/** A global by its path: the name after the last dot, in the module before it. */
export function emitGlobal(output: PickleOutput, path: string): void {
  const known = output.globals.get(path)
  if (known !== undefined) {
    recall(output, known)
    return
  }
  const dot = path.lastIndexOf('.')
  const module = path.slice(0, dot)
  const { bytes } = output
  bytes.uint8(OPCODE.GLOBAL)
  bytes.bytes(Buffer.from(`${PYTHON_2_MODULES.get(module) ?? module}\n${path.slice(dot + 1)}\n`, 'utf8'))
  output.globals.set(path, memoize(output))
}

export function emitBool(output: PickleOutput, value: boolean): void {
  emit(output, value ? 'NEWTRUE' : 'NEWFALSE')
}

export function emitFloat({ bytes }: PickleOutput, value: number): void {
  bytes.uint8(OPCODE.BINFLOAT)
  bytes.float64BigEndian(value)
}

/** An int in the shortest opcode that holds it. */
export function emitInteger(output: PickleOutput, value: number | bigint): void {
  const { bytes } = output
  if (typeof value === 'bigint' || value < -(2 ** 31) || value >= 2 ** 31) {
    emitLong(output, BigInt(value))
  } else if (value >= 0 && value < 256) {
    bytes.uint8(OPCODE.BININT1)
    bytes.uint8(value)
  } else if (value >= 0 && value < 65_536) {
    bytes.uint8(OPCODE.BININT2)
    bytes.uint16(value)
  } else {
    bytes.uint8(OPCODE.BININT)
    bytes.int32(value)
  }
}

/** Little-endian two's complement in as few bytes as hold value and sign. */
function emitLong({ bytes }: PickleOutput, value: bigint): void {
  const magnitude = value < 0n ? -value - 1n : value
  const length = Math.floor((magnitude === 0n ? 0 : magnitude.toString(2).length) / 8) + 1
  const hex = BigInt.asUintN(length * 8, value)
    .toString(16)
    .padStart(length * 2, '0')
  const encoded = Buffer.from(hex, 'hex').reverse()
  if (length < 256) {
    bytes.uint8(OPCODE.LONG1)
    bytes.uint8(length)
  } else {
    bytes.uint8(OPCODE.LONG4)
    bytes.int32(length)
  }
  bytes.bytes(encoded)
}
