import { CONTAINER_HANDLERS } from './container-handlers.ts'
import { OBJECT_HANDLERS } from './object-handlers.ts'
import { OPCODE, type OpcodeName } from './opcodes.ts'
import { MEMO_HANDLERS, SCALAR_HANDLERS, type Handler } from './scalar-handlers.ts'

/** What each opcode's byte does; opcodes without a handler are refused by name. STOP ends the machine's loop. */
export const HANDLERS: readonly (Handler | undefined)[] = (() => {
  const table = new Array<Handler | undefined>(256).fill(undefined)
  const all = { ...SCALAR_HANDLERS, ...MEMO_HANDLERS, ...CONTAINER_HANDLERS, ...OBJECT_HANDLERS }
  for (const [name, handler] of Object.entries(all)) table[OPCODE[name as OpcodeName]] = handler
  return table
})()
