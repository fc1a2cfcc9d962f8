import type { StateDict } from '../checkpoint/index.ts'
import { AppError } from '../error.ts'

/**
 * The state_dict of a file that is the model's: the one that was asked for; else the one that explains most of the expected keys, whatever
 * prefix a wrapper put before them (`module.`); among equals the first in the file.
 * @param fileName for messages.
 * @throws AppError BAD_INPUT when there is none at `path`, CHECKPOINT_UNSUPPORTED when there is none at all.
 */
export function chooseStateDict(
  found: readonly StateDict[],
  expected: readonly string[],
  path: readonly string[] | null,
  fileName: string,
): StateDict {
  if (found.length === 0)
    throw new AppError(
      'CHECKPOINT_UNSUPPORTED',
      `${fileName}: there is no state_dict (a dictionary of tensors by name) in this file; save model.state_dict()`,
    )
  if (path !== null) {
    const chosen = found.find((candidate) => samePath(candidate.path, path))
    if (chosen !== undefined) return chosen
    throw new AppError(
      'BAD_INPUT',
      `${fileName}: there is no state_dict at ${show(path)}; there are ${found.map((dict) => show(dict.path)).join(', ')}`,
    )
  }
  let best = found[0]!
  let explained = explainedKeys(best, expected)
  for (const candidate of found.slice(1)) {
    const count = explainedKeys(candidate, expected)
    if (count > explained) [best, explained] = [candidate, count]
  }
  return best
}

function explainedKeys({ tensors }: StateDict, expected: readonly string[]): number {
  const suffixes = new Set<string>()
  for (const key of tensors.keys()) {
    suffixes.add(key)
    for (let dot = key.indexOf('.'); dot >= 0; dot = key.indexOf('.', dot + 1)) suffixes.add(key.slice(dot + 1))
  }
  return expected.filter((key) => suffixes.has(key)).length
}

const samePath = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((part, i) => part === b[i])

const show = (path: readonly string[]): string => (path.length === 0 ? 'the root' : JSON.stringify(path))
