/** Gives `each` the items in order, at most `size` at a time: a statement has a limited number of parameters. */
export async function inChunks<T>(
  items: readonly T[],
  size: number,
  each: (chunk: readonly T[], first: number) => Promise<unknown>,
): Promise<void> {
  for (let first = 0; first < items.length; first += size) await each(items.slice(first, first + size), first)
}
