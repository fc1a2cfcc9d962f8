import { AppError } from '../../error.ts'
import type { BindingProposal, BindingReport } from './binding-report.ts'
import type { Binding } from './binding.ts'
import type { KeyMapping, PrefixRename } from './key-mapping.ts'

/** Proposals that are shown at most. */
const SHOWN = 3
/** Prefixes of one kind that are tried at most: those that explain the most keys. */
const TRIED = 4

/**
 * Tries what usually cures a binding that failed: another state_dict of the file (`model_state_dict`), prefixes that wrappers
 * put before keys (`module.` of DataParallel, `_orig_mod.` of torch.compile, `model.` of Lightning, and those on top of each
 * other), a prefix that the model has and the checkpoint has not, prefixes that are called something else (`backbone.` for `encoder.`),
 * and to ignore unexpected keys. Only what does bind is proposed;
 * cures that keep `strict` come first.
 */
export function proposeBindings(binding: Binding, bind: (binding: Binding) => BindingReport): BindingProposal[] {
  const proposals: BindingProposal[] = []
  const own = { path: null, entries: binding.entries, versions: binding.versions, opaque: binding.opaque }
  const sources = [own, ...(binding.nested ?? [])]
  for (const { path, entries, versions, opaque } of sources) {
    const attempt = (keyMapping: KeyMapping): boolean => {
      for (const strict of binding.strict ? [true, false] : [false]) {
        const report = tried(bind, { ...binding, entries, versions, opaque, keyMapping, strict })
        if (!report?.ok) continue
        const effective = Object.keys(keyMapping).length === 0 ? null : keyMapping
        const text = describe(binding, path, effective, strict, report)
        proposals.push({ stateDictPath: path, keyMapping: effective, strict, text })
        return true
      }
      return false
    }
    const keys = [...entries.keys()]
    const simple = candidateMappings(binding, keys).filter(attempt)
    // Prefixes are only renamed where none has to go or to come, and no more of them than have to be.
    if (simple.length === 0) renamings(binding, keys).some(attempt)
  }
  return proposals.sort((a, b) => Number(b.strict) - Number(a.strict)).slice(0, SHOWN)
}

function tried(bind: (binding: Binding) => BindingReport, binding: Binding): BindingReport | null {
  try {
    return bind(binding)
  } catch (error) {
    // Two keys became one: no cure.
    if (error instanceof AppError) return null
    throw error
  }
}

function candidateMappings({ parameters }: Binding, keys: readonly string[]): KeyMapping[] {
  const expected = parameters.flatMap((parameter) => parameter.keys)
  const strip = prefixesThatMatch(keys, new Set(expected))
  const add = prefixesThatMatch(expected, new Set(keys))
  const [stripAll, addAll] = [commonPrefix(keys), commonPrefix(expected)]
  return [
    {},
    ...strip.map((stripPrefix) => ({ stripPrefix })),
    ...add.map((addPrefix) => ({ addPrefix })),
    ...(strip.length + add.length > 0 || stripAll === '' || addAll === ''
      ? []
      : [{ stripPrefix: stripAll, addPrefix: addAll }]),
  ]
}

/**
 * Prefixes that could be called something else here: of keys that are not expected and of those that are and are not there, ways to
 * pair them up by what is behind the prefix. The pairing is one-to-one, by the number of keys that it explains.
 */
function renamings({ parameters }: Binding, keys: readonly string[]): KeyMapping[] {
  const expected = parameters.flatMap((parameter) => parameter.keys)
  const [known, wanted] = [new Set(keys), new Set(expected)]
  const strange = keys.filter((key) => !wanted.has(key))
  const lacking = expected.filter((key) => !known.has(key))
  if (strange.length === 0 || lacking.length === 0) return []
  const behind = new Map<string, string[]>()
  for (const key of lacking) for (const [prefix, rest] of splits(key)) append(behind, rest, prefix)
  const counts = new Map<string, PrefixRename & { readonly keys: number }>()
  for (const key of strange)
    for (const [from, rest] of splits(key))
      for (const to of behind.get(rest) ?? []) {
        const name = JSON.stringify([from, to])
        counts.set(name, { from, to, keys: (counts.get(name)?.keys ?? 0) + 1 })
      }
  // The shortest prefixes that explain as much: `backbone.` and not `backbone.0.`.
  const ranked = [...counts.values()].sort((a, b) => b.keys - a.keys || a.from.length - b.from.length)
  const chosen: PrefixRename[] = []
  for (const { from, to } of ranked) {
    if (chosen.length === RENAMES) break
    const overlaps = chosen.some(
      (other) => from.startsWith(other.from) || other.from.startsWith(from) || other.to === to,
    )
    if (!overlaps) chosen.push({ from, to })
  }
  // Fewer first: one rename that suffices is better than three.
  return chosen.map((_, i) => ({ renamePrefixes: chosen.slice(0, i + 1) }))
}

/** Prefixes that one proposal renames at most. */
const RENAMES = 4
/** Levels of a key that are looked at as prefixes: what is called differently is a module near the top. */
const LEVELS = 4

/** A key cut after each of its first dots. */
function* splits(key: string): Generator<readonly [prefix: string, rest: string]> {
  for (let dot = key.indexOf('.'), level = 0; dot >= 0 && level < LEVELS; dot = key.indexOf('.', dot + 1), level++)
    yield [key.slice(0, dot + 1), key.slice(dot + 1)]
}

function append(lists: Map<string, string[]>, key: string, value: string): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [value])
  // Layers of equal names (`0.weight`) would be paired with each other by the thousand.
  else if (list.length < 16) list.push(value)
}

/** Prefixes `a.b.` of keys that leave a wanted key, the one that leaves the most first. */
function prefixesThatMatch(keys: readonly string[], wanted: ReadonlySet<string>): string[] {
  const counts = new Map<string, number>()
  for (const key of keys)
    for (let dot = key.indexOf('.'); dot >= 0; dot = key.indexOf('.', dot + 1))
      if (wanted.has(key.slice(dot + 1))) {
        const prefix = key.slice(0, dot + 1)
        counts.set(prefix, (counts.get(prefix) ?? 0) + 1)
      }
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .slice(0, TRIED)
    .map(([prefix]) => prefix)
}

/** The longest `a.b.` that all keys begin with. */
function commonPrefix(keys: readonly string[]): string {
  const [first, ...others] = keys
  let prefix = first === undefined ? '' : first.slice(0, first.lastIndexOf('.') + 1)
  while (prefix !== '' && !others.every((key) => key.startsWith(prefix)))
    prefix = prefix.slice(0, prefix.lastIndexOf('.', prefix.length - 2) + 1)
  return prefix
}

function describe(
  { strict: wasStrict }: Binding,
  path: readonly string[] | null,
  mapping: KeyMapping | null,
  strict: boolean,
  { unexpected }: BindingReport,
): string {
  const steps = [
    ...(path === null ? [] : [`use the nested state_dict at ${JSON.stringify(path.join('.'))}`]),
    ...(mapping?.stripPrefix === undefined ? [] : [`strip the prefix "${mapping.stripPrefix}" from the keys`]),
    ...(mapping?.renamePrefixes ?? []).map(({ from, to }) => `rename the prefix "${from}" of the keys to "${to}"`),
    ...(mapping?.addPrefix === undefined ? [] : [`add the prefix "${mapping.addPrefix}" to the keys`]),
    ...(wasStrict && !strict
      ? [`set strict to false to ignore ${unexpected.length} unexpected key${unexpected.length === 1 ? '' : 's'}`]
      : []),
  ]
  return `To make it fit: ${steps.join(', and ')}.`
}
