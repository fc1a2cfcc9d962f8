import DataLoader from 'dataloader'
import type { ValueNode } from '../../checkpoint/index.ts'
import { AppError } from '../../error.ts'
import type { PrismaClient } from '../../store/index.ts'

/** A node of a checkpoint's value tree. */
export interface NodeKey {
  readonly checkpointId: string
  readonly index: number
}

/** Dtype and shape of a tensor of a checkpoint's file. */
export interface TensorShapeRecord {
  readonly index: number
  readonly dtype: string
  readonly shape: readonly bigint[]
}

/** Value trees, whole or node by node. */
export interface TreeLoaders {
  /** The value tree of a checkpoint. @throws AppError LIMIT_EXCEEDED for a large one. */
  readonly tree: DataLoader<string, unknown>
  /** The index of the root of a checkpoint's value tree. */
  readonly treeRoot: DataLoader<string, number>
  /** Null where there is no such node. */
  readonly treeNode: DataLoader<NodeKey, ValueNode | null, string>
  readonly tensorShape: DataLoader<NodeKey, TensorShapeRecord | null, string>
}

/** Bytes of a value tree, as JSON, that are answered at once: more would keep everybody else waiting while it is parsed and printed. */
export const TREE_BYTES = 4_000_000

const TREES = `
  select id, octet_length(tree::text) as bytes, case when octet_length(tree::text) <= $2 then tree end as tree
  from "Checkpoint" where id = any($1::uuid[])`

/*
 * The database takes the tree apart, so that a large one is neither sent nor parsed here. It refuses to look into JSON with \u0000 or half a
 * surrogate pair, which a pickle can hold: escapes are written otherwise for it, with the escape \/ that JSON.stringify never writes.
 */
const READABLE = String.raw`replace(replace(checkpoint.tree::text, '\\', '\/b'), '\u', '\/u')::json`
const readNode = (text: string): ValueNode =>
  JSON.parse(text.replaceAll('\\/u', '\\u').replaceAll('\\/b', '\\\\')) as ValueNode

const ROOTS = `
  select id, (${READABLE} ->> 'root')::int as root from "Checkpoint" checkpoint where id = any($1::uuid[])`

const NODES = `
  select (node.ordinality - 1)::int as index, node.value::text as node
  from "Checkpoint" checkpoint, json_array_elements(${READABLE} -> 'nodes') with ordinality node
  where checkpoint.id = $1::uuid and node.ordinality - 1 = any($2::bigint[])`

const keyOf = ({ checkpointId, index }: NodeKey): string => `${checkpointId} ${index}`

/** Loaders of value trees, with an empty memory. */
export function treeLoaders(prisma: PrismaClient): TreeLoaders {
  return {
    tree: new DataLoader(async (ids) => {
      const rows = await prisma.$queryRawUnsafe<{ id: string; bytes: number; tree: unknown }[]>(TREES, ids, TREE_BYTES)
      const found = new Map(rows.map((row) => [row.id, row]))
      return ids.map((id) => {
        const row = found.get(id)
        if (row === undefined) return new Error(`row ${id} is gone`)
        return row.bytes > TREE_BYTES ? tooLarge(row.bytes) : row.tree
      })
    }),
    treeRoot: new DataLoader(async (ids) => {
      const rows = await prisma.$queryRawUnsafe<{ id: string; root: number }[]>(ROOTS, ids)
      const found = new Map(rows.map(({ id, root }) => [id, root]))
      return ids.map((id) => found.get(id) ?? new Error(`row ${id} is gone`))
    }),
    treeNode: byCheckpoint(async (checkpointId, indexes) => {
      const rows = await prisma.$queryRawUnsafe<{ index: number; node: string }[]>(NODES, checkpointId, indexes)
      return new Map(rows.map(({ index, node }) => [index, readNode(node)]))
    }),
    tensorShape: byCheckpoint(async (checkpointId, indexes) => {
      const rows = await prisma.tensor.findMany({
        where: { checkpointId, index: { in: [...indexes] } },
        select: { index: true, dtype: true, shape: true },
      })
      return new Map(rows.map((row) => [row.index, row]))
    }),
  }
}

/** One statement for each checkpoint. */
function byCheckpoint<Value>(
  find: (checkpointId: string, indexes: readonly number[]) => Promise<ReadonlyMap<number, Value>>,
): DataLoader<NodeKey, Value | null, string> {
  return new DataLoader<NodeKey, Value | null, string>(
    async (keys) => {
      const wanted = new Map<string, number[]>()
      for (const { checkpointId, index } of keys) {
        const indexes = wanted.get(checkpointId)
        if (indexes === undefined) wanted.set(checkpointId, [index])
        else indexes.push(index)
      }
      const found = new Map<string, ReadonlyMap<number, Value>>()
      for (const [checkpointId, indexes] of wanted) found.set(checkpointId, await find(checkpointId, indexes))
      return keys.map(({ checkpointId, index }) => found.get(checkpointId)?.get(index) ?? null)
    },
    { cacheKeyFn: keyOf, maxBatchSize: 10_000 },
  )
}

const tooLarge = (bytes: number): AppError =>
  new AppError(
    'LIMIT_EXCEEDED',
    `the value tree has ${bytes} bytes, at most ${TREE_BYTES} are answered at once; browse it with Checkpoint.values(path: [], first: 100)`,
  )
