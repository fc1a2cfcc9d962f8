interface NameFilter {
  readonly name?: { readonly contains: string; readonly mode: 'insensitive' }
}

/** Only what has a text in its name; everything where there is no text. Prisma makes a LIKE of it, and leaves its wildcards as they are. */
export const nameContains = (text: string | null | undefined): NameFilter =>
  text == null || text === '' ? {} : { name: { contains: text.replace(/[\\%_]/g, '\\$&'), mode: 'insensitive' } }
