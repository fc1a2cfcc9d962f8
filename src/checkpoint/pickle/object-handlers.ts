import { isAllowedGlobal, python3Name } from './globals.ts'
import { corrupt, pop, popMark, pushObject, top, unsupported, type PickleMachine } from './machine-state.ts'
import { isForeign, typeName, type PickleForeign, type PickleGlobal } from './pickle-value.ts'
import { build, newObject, reduce } from './reduce.ts'
import { line, type Handlers } from './scalar-handlers.ts'

/**
 * Opcodes that name, call and build objects in Python. Here a name is looked up in the closed list, and a call makes a
 * node. A foreign name becomes an inert placeholder, so that the whole pickle is read and the refusal can tell everything.
 */
export const OBJECT_HANDLERS: Handlers = {
  GLOBAL(m) {
    const module = line(m)
    m.stack.push(globalOf(m, module, line(m)))
  },
  STACK_GLOBAL(m) {
    const name = pop(m)
    const module = pop(m)
    if (typeof name !== 'string' || typeof module !== 'string')
      throw corrupt(m, `the name of a global is a ${typeName(module)} and a ${typeName(name)} instead of two strings`)
    m.stack.push(globalOf(m, module, name))
  },
  INST(m) {
    const module = line(m)
    const callable = globalOf(m, module, line(m))
    popMark(m)
    if (callable.kind !== 'foreign') throw unsupported(m, 'opcode INST of pickle protocol 0 is not supported')
    m.stack.push(used(callable, 'instantiates'))
  },
  OBJ(m) {
    const [callable] = popMark(m)
    if (!isForeign(callable)) throw unsupported(m, 'opcode OBJ of pickle protocol 1 is not supported')
    m.stack.push(used(callable, 'instantiates'))
  },
  REDUCE(m) {
    const args = pop(m)
    const callable = pop(m)
    pushObject(m, isForeign(callable) ? used(callable, 'calls') : reduce(m, callable, args))
  },
  NEWOBJ(m) {
    const args = pop(m)
    const cls = pop(m)
    pushObject(m, isForeign(cls) ? used(cls, 'instantiates') : newObject(m, cls, args))
  },
  NEWOBJ_EX(m) {
    pop(m)
    pop(m)
    const cls = pop(m)
    if (!isForeign(cls)) throw unsupported(m, `a ${typeName(cls)} made with keyword arguments (NEWOBJ_EX)`)
    m.stack.push(used(cls, 'instantiates'))
  },
  BUILD(m) {
    const state = pop(m)
    build(m, top(m), state)
  },
  BINPERSID(m) {
    const id = pop(m)
    pushObject(m, m.persistentLoad(m, id))
  },
}

/** Notes what a foreign name is used for: the first use counts. */
function used(foreign: PickleForeign, use: NonNullable<PickleForeign['use']>): PickleForeign {
  foreign.use ??= use
  return foreign
}

/** The value of a name; one object for each path, so that names compare by identity. */
function globalOf(machine: PickleMachine, writtenModule: string, writtenName: string): PickleGlobal | PickleForeign {
  const [module, name] = python3Name(writtenModule, writtenName)
  const path = `${module}.${name}`
  const known = machine.globals.get(path)
  if (known) return known
  const reference = { module, name, offset: machine.opcodeAt }
  const value = isAllowedGlobal(path)
    ? ({ kind: 'global', path, reference } as const)
    : ({ kind: 'foreign', reference } as const)
  machine.globals.set(path, value)
  return value
}
