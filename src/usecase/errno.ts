/** The code of a failed system call, `ENOENT`; null for any other value. By shape: under Jest, Node's errors are of another realm. */
export function errnoOf(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('code' in error)) return null
  return typeof error.code === 'string' ? error.code : null
}
