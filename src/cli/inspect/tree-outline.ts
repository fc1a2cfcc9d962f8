import { childCount, entriesOf, previewOf, type ValueNode, type ValueTree } from '../../checkpoint/index.ts'
import { printable } from '../style.ts'

/** How much of a tree is shown. */
export interface OutlineLimits {
  /** Levels below the root. */
  readonly depth: number
  /** Entries of each container. */
  readonly entries: number
  /** Lines in all. */
  readonly lines: number
}

/** The outline of an ordinary terminal. */
export const OUTLINE_LIMITS: OutlineLimits = { depth: 3, entries: 20, lines: 2000 }

/**
 * A value tree as indented lines.
 * @param tensorText what a tensor is, by its number: `float32 [3, 4]`
 */
export async function treeOutline(
  { nodes, root }: ValueTree,
  tensorText: (tensor: number) => string | undefined,
  limits: OutlineLimits,
): Promise<readonly string[]> {
  const source = (indexes: readonly number[]) =>
    Promise.resolve(new Map(indexes.flatMap((i) => (nodes[i] === undefined ? [] : [[i, nodes[i]] as const]))))
  const text = (node: ValueNode): string =>
    printable(node.kind === 'tensor' ? `tensor ${tensorText(node.tensor) ?? node.tensor}` : previewOf(node))
  const lines: string[] = []
  // Depth is limited, so that recursion is.
  const walk = async (node: ValueNode, level: number): Promise<void> => {
    const { entries, total } = await entriesOf(source, node, 0, limits.entries)
    for (const entry of entries) {
      if (lines.length >= limits.lines) return
      lines.push(`${'  '.repeat(level)}${printable(entry.key)}: ${text(entry.node)}`)
      if (level < limits.depth) await walk(entry.node, level + 1)
    }
    if (total > entries.length) lines.push(`${'  '.repeat(level)}… and ${total - entries.length} more`)
  }
  const top = nodes[root]
  if (top === undefined) return []
  lines.push(text(top))
  if (childCount(top) > 0 && limits.depth > 0) await walk(top, 1)
  return lines.length >= limits.lines ? [...lines, `… (${limits.lines} lines are shown)`] : lines
}
