import type { Page, PageRequest } from '../page.ts'

/** What Prisma's findMany takes to read a part of a list, newest first. */
export interface Range {
  readonly where: { readonly id?: { readonly lt: string } | { readonly gte: string } }
  readonly orderBy: { readonly id: 'desc' }
  readonly take: number
}

/** A page of a whole table: one statement, and one more after the first page to know whether something was before. */
export async function readPage<Row>(
  { first, after }: PageRequest,
  find: (range: Range) => Promise<readonly Row[]>,
): Promise<Page<Row>> {
  const rows = await find({
    where: after === null ? {} : { id: { lt: after } },
    orderBy: { id: 'desc' },
    take: first + 1,
  })
  const before = after === null ? [] : await find({ where: { id: { gte: after } }, orderBy: { id: 'desc' }, take: 1 })
  return { rows: rows.slice(0, first), hasNext: rows.length > first, hasPrevious: before.length > 0 }
}
