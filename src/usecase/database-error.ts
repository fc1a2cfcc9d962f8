/** Whether a query failed because a row with this unique name is there already (Prisma P2002). */
export const isUniqueViolation = (error: unknown): boolean => prismaCode(error) === 'P2002'

/** Whether a query failed because a row that it names is gone (Prisma P2003). */
export const isForeignKeyViolation = (error: unknown): boolean => prismaCode(error) === 'P2003'

/** By shape: Prisma's classes are of another realm under Jest. */
function prismaCode(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('code' in error)) return null
  return typeof error.code === 'string' ? error.code : null
}
