import { decodeCursor, encodeCursor, type CursorList } from './cursor.ts'
import { InputError } from './input-error.ts'

/** Items of the largest page. */
export const MAX_PAGE = 100

const DEFAULT_PAGE = 20

/** What a client asks of a list. */
export interface PageArguments {
  readonly first?: number | null | undefined
  readonly after?: string | null | undefined
}

/** A place in a list that is ordered by id, newest first. */
export interface PageRequest {
  readonly first: number
  /** UUID of the item before the page; null for the first page. */
  readonly after: string | null
}

/** A page of rows. */
export interface Page<Row> {
  readonly rows: readonly Row[]
  readonly hasNext: boolean
  readonly hasPrevious: boolean
}

/** A page as the schema shows it. */
export interface Connection<Row> {
  readonly edges: { readonly cursor: string; readonly node: Row }[]
  readonly nodes: readonly Row[]
  readonly pageInfo: PageInfo
}

/** Where a page begins and ends. */
export interface PageInfo {
  readonly hasNextPage: boolean
  readonly hasPreviousPage: boolean
  readonly startCursor: string | null
  readonly endCursor: string | null
}

/**
 * The arguments of a list, checked.
 * @throws AppError BAD_INPUT.
 */
export const pageRequest = (list: CursorList, { first, after }: PageArguments): PageRequest => ({
  first: pageSize(first),
  after: after == null ? null : decodeCursor(list, after),
})

/**
 * Items of a page.
 * @throws AppError BAD_INPUT.
 */
export function pageSize(first: number | null | undefined): number {
  const count = first ?? DEFAULT_PAGE
  if (count >= 1 && count <= MAX_PAGE) return count
  throw new InputError('BAD_INPUT', `\`first\` is ${count}; a page has 1 to ${MAX_PAGE} items`, ['first'])
}

/** A page with its cursors. */
export function connection<Row extends { readonly id: string }>(list: CursorList, page: Page<Row>): Connection<Row> {
  const edges = page.rows.map((node) => ({ cursor: encodeCursor(list, node.id), node }))
  return {
    edges,
    nodes: page.rows,
    pageInfo: {
      hasNextPage: page.hasNext,
      hasPreviousPage: page.hasPrevious,
      startCursor: edges.at(0)?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  }
}
