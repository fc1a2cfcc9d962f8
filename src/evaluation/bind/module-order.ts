/** A module as far as keys tell: `1.weight` is the parameter `weight` of the child `1`. */
interface Module {
  readonly prefix: string
  readonly own: Set<string>
  readonly children: Map<string, Module>
}

/** What load_state_dict visits: modules depth-first in the order of registration, of each the own parameters before its children. */
export interface ModuleOrder {
  /** Every expected key in the order of the visit. */
  readonly keys: readonly string[]
  /** Keys of a state_dict that are not expected, in the order in which the visit comes across them. */
  unexpected(keys: Iterable<string>): string[]
}

/**
 * The order of PyTorch's error messages, from the expected keys in state_dict order.
 * Source: torch/nn/modules/module.py, load_state_dict and _load_from_state_dict. A module without parameters has no key and
 * is not known here: what PyTorch lists at its turn comes at its parent's.
 */
export function moduleOrder(expected: Iterable<string>): ModuleOrder {
  const root = newModule('')
  for (const key of expected) {
    const path = key.split('.')
    const name = path.pop()!
    let module = root
    for (const part of path) {
      let child = module.children.get(part)
      if (child === undefined) module.children.set(part, (child = newModule(`${module.prefix}${part}.`)))
      module = child
    }
    module.own.add(name)
  }
  return { keys: [...visit(root, ownKeys)], unexpected: (keys) => unexpectedOf(root, [...keys]) }
}

const newModule = (prefix: string): Module => ({ prefix, own: new Set(), children: new Map() })

function* ownKeys({ prefix, own }: Module): Generator<string> {
  for (const name of own) yield prefix + name
}

function* visit<T>(module: Module, each: (module: Module) => Iterable<T>): Generator<T> {
  yield* each(module)
  for (const child of module.children.values()) yield* visit(child, each)
}

function unexpectedOf(module: Module, keys: readonly string[]): string[] {
  const { prefix, own, children } = module
  const extraState = `${prefix}_extra_state`
  const found: string[] = []
  const below = new Map<string, string[]>()
  if (keys.includes(extraState) && !own.has('_extra_state')) found.push(extraState)
  for (const key of keys) {
    if (key === extraState) continue
    const rest = key.slice(prefix.length)
    const dot = rest.indexOf('.')
    if (dot < 0) {
      if (!own.has(rest)) found.push(key)
      continue
    }
    const child = rest.slice(0, dot)
    if (!children.has(child)) found.push(key)
    else if (!below.get(child)?.push(key)) below.set(child, [key])
  }
  for (const [name, child] of children) {
    const inside = below.get(name)
    if (inside !== undefined) found.push(...unexpectedOf(child, inside))
  }
  return found
}
