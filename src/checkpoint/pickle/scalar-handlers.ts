import { quoted } from '../../container/index.ts'
import { corrupt, overLimit, pushObject, skip, take, top, unsupported, type PickleMachine } from './machine-state.ts'
import type { OpcodeName } from './opcodes.ts'

/** Executes one opcode; `at` stands behind its byte. */
export type Handler = (machine: PickleMachine) => void
/** Handlers of the opcodes that are executed. */
export type Handlers = Partial<Record<OpcodeName, Handler>>

const uint8 = (machine: PickleMachine): number => machine.view.getUint8(skip(machine, 1))
const uint32 = (machine: PickleMachine): number => machine.view.getUint32(skip(machine, 4), true)

function uint64(machine: PickleMachine): number {
  // A length beyond 2^53 loses digits here, and is refused as longer than the pickle in any case.
  return Number(machine.view.getBigUint64(skip(machine, 8), true))
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The bytes of a string or a bytes object. */
function content(machine: PickleMachine, length: number): Uint8Array {
  const bytes = take(machine, length)
  if (length > machine.limits.maxStringBytes)
    throw overLimit(machine, `a string of ${length} bytes, the limit is ${machine.limits.maxStringBytes}`)
  return bytes
}

function text(machine: PickleMachine, length: number): string {
  const bytes = content(machine, length)
  try {
    return utf8.decode(bytes)
  } catch {
    throw unsupported(machine, 'a string is no valid UTF-8 (a lone surrogate, or bytes of Python 2)')
  }
}

/** Little-endian two's complement. */
function integer(machine: PickleMachine, length: number): number | bigint {
  if (length > machine.limits.maxIntegerBytes)
    throw overLimit(machine, `an integer of ${length} bytes, the limit is ${machine.limits.maxIntegerBytes}`)
  const bytes = take(machine, length)
  if (length === 0) return 0
  const hex = Buffer.from(bytes).reverse().toString('hex')
  const value = BigInt.asIntN(length * 8, BigInt(`0x${hex}`))
  return Number.isSafeInteger(Number(value)) ? Number(value) : value
}

function int32Length(machine: PickleMachine): number {
  const length = machine.view.getInt32(skip(machine, 4), true)
  if (length < 0) throw corrupt(machine, `the length ${length} is negative`)
  return length
}

/** Opcodes that push a constant. */
export const SCALAR_HANDLERS: Handlers = {
  NONE: (m) => m.stack.push(null),
  NEWTRUE: (m) => m.stack.push(true),
  NEWFALSE: (m) => m.stack.push(false),
  BININT: (m) => m.stack.push(m.view.getInt32(skip(m, 4), true)),
  BININT1: (m) => m.stack.push(uint8(m)),
  BININT2: (m) => m.stack.push(m.view.getUint16(skip(m, 2), true)),
  LONG1: (m) => m.stack.push(integer(m, uint8(m))),
  LONG4: (m) => m.stack.push(integer(m, int32Length(m))),
  BINFLOAT: (m) => pushObject(m, { kind: 'float', value: m.view.getFloat64(skip(m, 8)) }),
  BINUNICODE: (m) => m.stack.push(text(m, uint32(m))),
  SHORT_BINUNICODE: (m) => m.stack.push(text(m, uint8(m))),
  BINUNICODE8: (m) => m.stack.push(text(m, uint64(m))),
  // Python 2 strings; torch.load decodes them as UTF-8 too.
  SHORT_BINSTRING: (m) => m.stack.push(text(m, uint8(m))),
  BINSTRING: (m) => m.stack.push(text(m, int32Length(m))),
  BINBYTES: (m) => pushObject(m, { kind: 'bytes', value: content(m, uint32(m)) }),
  SHORT_BINBYTES: (m) => pushObject(m, { kind: 'bytes', value: content(m, uint8(m)) }),
  BINBYTES8: (m) => pushObject(m, { kind: 'bytes', value: content(m, uint64(m)) }),
  BYTEARRAY8: (m) => pushObject(m, { kind: 'bytearray', value: content(m, uint64(m)) }),
}

/** Opcodes that say how the rest is to be read, and the memo's. */
export const MEMO_HANDLERS: Handlers = {
  PROTO(m) {
    const protocol = uint8(m)
    if (protocol > 5) throw unsupported(m, `pickle protocol ${protocol}; 2 to 5 are read`)
  },
  FRAME(m) {
    const length = uint64(m)
    if (length > m.bytes.length - m.at) throw corrupt(m, `a frame of ${length} bytes runs past the end of the pickle`)
  },
  BINPUT: (m) => memoize(m, uint8(m)),
  LONG_BINPUT: (m) => memoize(m, uint32(m)),
  MEMOIZE: (m) => memoize(m, m.memoCount),
  BINGET: (m) => recall(m, uint8(m)),
  LONG_BINGET: (m) => recall(m, uint32(m)),
}

function memoize(machine: PickleMachine, index: number): void {
  if (index > machine.limits.maxMemo)
    throw overLimit(machine, `memo index ${index}, the limit is ${machine.limits.maxMemo}`)
  const value = top(machine)
  if (machine.memo[index] === undefined) machine.memoCount++
  machine.memo[index] = value
}

function recall(machine: PickleMachine, index: number): void {
  const value = machine.memo[index]
  if (value === undefined) throw corrupt(machine, `memo ${index} is read before it is written`)
  machine.stack.push(value)
}

/** One line of a text argument, without its newline. */
export function line(machine: PickleMachine): string {
  const end = machine.bytes.indexOf(0x0a, machine.at)
  if (end < 0) throw corrupt(machine, 'the pickle ends in the middle of a name')
  if (end - machine.at > MAX_NAME_BYTES)
    throw corrupt(machine, `a name of ${end - machine.at} bytes: ${quoted(text(machine, MAX_NAME_BYTES))}`)
  const name = text(machine, end - machine.at)
  machine.at++
  return name
}

/** No Python name is longer. */
const MAX_NAME_BYTES = 1024
