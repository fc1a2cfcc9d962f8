import { OPCODE, type OpcodeName } from './opcodes.ts'

/**
 * What follows an opcode's byte: so many bytes; a little-endian length of so many bytes and then that many; or so many lines.
 * Source: CPython Lib/pickletools.py. Opcodes that are not here have no argument.
 */
type Argument = { readonly fixed: number } | { readonly counted: 1 | 4 | 8 } | { readonly lines: 1 | 2 }

const ARGUMENTS: Readonly<Partial<Record<OpcodeName, Argument>>> = {
  BININT: { fixed: 4 },
  BININT1: { fixed: 1 },
  BININT2: { fixed: 2 },
  BINFLOAT: { fixed: 8 },
  BINGET: { fixed: 1 },
  LONG_BINGET: { fixed: 4 },
  BINPUT: { fixed: 1 },
  LONG_BINPUT: { fixed: 4 },
  PROTO: { fixed: 1 },
  FRAME: { fixed: 8 },
  EXT1: { fixed: 1 },
  EXT2: { fixed: 2 },
  EXT4: { fixed: 4 },
  LONG1: { counted: 1 },
  LONG4: { counted: 4 },
  SHORT_BINSTRING: { counted: 1 },
  BINSTRING: { counted: 4 },
  SHORT_BINUNICODE: { counted: 1 },
  BINUNICODE: { counted: 4 },
  BINUNICODE8: { counted: 8 },
  SHORT_BINBYTES: { counted: 1 },
  BINBYTES: { counted: 4 },
  BINBYTES8: { counted: 8 },
  BYTEARRAY8: { counted: 8 },
  GLOBAL: { lines: 2 },
  INST: { lines: 2 },
  FLOAT: { lines: 1 },
  INT: { lines: 1 },
  LONG: { lines: 1 },
  STRING: { lines: 1 },
  UNICODE: { lines: 1 },
  PERSID: { lines: 1 },
  GET: { lines: 1 },
  PUT: { lines: 1 },
}

const NONE: Argument = { fixed: 0 }
const TABLE: readonly (Argument | undefined)[] = (() => {
  const table = new Array<Argument | undefined>(256).fill(undefined)
  for (const [name, byte] of Object.entries(OPCODE)) table[byte] = ARGUMENTS[name as OpcodeName] ?? NONE
  return table
})()

/**
 * The byte behind the opcode at `at` and its argument; beyond the end of `bytes` where the argument is, and Infinity where the
 * bytes end before its length can be told. Undefined when the byte is no opcode. Nothing is executed or allocated.
 */
export function opcodeEnd(bytes: Uint8Array, at: number): number | undefined {
  const argument = TABLE[bytes[at]!]
  if (argument === undefined) return undefined
  if ('fixed' in argument) return at + 1 + argument.fixed
  if ('lines' in argument) {
    let end = at
    for (let line = 0; line < argument.lines; line++) {
      end = bytes.indexOf(0x0a, end + 1)
      if (end < 0) return Infinity
    }
    return end + 1
  }
  const { counted } = argument
  if (at + 1 + counted > bytes.length) return Infinity
  let length = 0
  for (let i = counted; i > 0; i--) length = length * 256 + bytes[at + i]!
  return at + 1 + counted + length
}
