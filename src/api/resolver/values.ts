import { childCount, entriesOf, nodeAt, previewOf, type NodeSource, type TreePage } from '../../checkpoint/index.ts'
import type { Context } from '../context.ts'
import type { CheckpointResolvers, ValueEntryResolvers } from '../generated/resolvers.ts'
import { InputError } from '../input-error.ts'
import type { ValueEntryRecord } from '../record.ts'

/** Entries of the largest page, and of the largest list inside of a page. */
const MAX_ENTRIES = 1000
const MAX_CHILDREN = 100
/** Steps of a path: no value lies deeper. */
const MAX_STEPS = 1000

/** `Checkpoint.values`: reads no more of the tree than it answers, and the keys along the path. */
export const valuesResolver: NonNullable<CheckpointResolvers['values']> = async ({ id }, page, { loaders }) => {
  const path = pathOf(page.path)
  const first = checked(page.first, 100, MAX_ENTRIES)
  if (path.length > MAX_STEPS) throw new InputError('BAD_INPUT', `a path of ${path.length} steps`, ['path'])
  if (page.after != null && page.after < 0)
    throw new InputError('BAD_INPUT', `\`after\` is ${page.after}; it is the \`position\` of an entry, 0 or more`, [
      'after',
    ])
  const start = page.after == null ? 0 : page.after + 1
  const source = sourceOf(id, loaders)
  const root = await loaders.treeRoot.load(id)
  const found = await nodeAt(source, (await source([root])).get(root) ?? { kind: 'none' }, path)
  if (found === null)
    throw new InputError('NOT_FOUND', `there is nothing at ${JSON.stringify(path).slice(0, 200)}`, ['path'])
  const answer = await entriesOf(source, found.node, start, first)
  return {
    nodes: records(id, answer),
    total: answer.total,
    hasNextPage: start + answer.entries.length < answer.total,
  }
}

/** Fields of `ValueEntry`. */
export const valueEntryResolvers: ValueEntryResolvers = {
  kind: ({ node }) => node.kind,
  preview: ({ node }) => previewOf(node),
  childCount: ({ node }) => childCount(node),
  tensor: ({ node, checkpointId }, _arguments, { loaders }) =>
    node.kind === 'tensor' ? loaders.tensorShape.load({ checkpointId, index: node.tensor }) : null,
  children: async ({ node, checkpointId }, { first }, { loaders }) =>
    records(checkpointId, await entriesOf(sourceOf(checkpointId, loaders), node, 0, checked(first, 20, MAX_CHILDREN))),
}

const records = (checkpointId: string, { entries }: TreePage): ValueEntryRecord[] =>
  entries.map(({ key, position, node }) => ({ checkpointId, key, position, node }))

const sourceOf =
  (checkpointId: string, { treeNode }: Context['loaders']): NodeSource =>
  async (indexes) => {
    const nodes = await Promise.all(indexes.map((index) => treeNode.load({ checkpointId, index })))
    return new Map(indexes.flatMap((index, i) => (nodes[i] == null ? [] : [[index, nodes[i]] as const])))
  }

// A default does not keep a client from sending null, whatever the generated type says.
const pathOf = (path: readonly string[] | null | undefined): readonly string[] => path ?? []

function checked(given: number | null | undefined, fallback: number, most: number): number {
  const first = given ?? fallback
  if (first < 1 || first > most)
    throw new InputError('BAD_INPUT', `\`first\` is ${first}; 1 to ${most} entries can be asked for`, ['first'])
  return first
}
