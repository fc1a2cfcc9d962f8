import type { Transaction } from '../client.ts'

/**
 * Locks storages as a foreign key does, which the sweep passes over and other holders do not mind. In one order: two holders that wait
 * for a put cannot wait for each other.
 */
export async function holdStorages(tx: Transaction, sha256s: readonly string[]): Promise<ReadonlySet<string>> {
  const wanted = [...new Set(sha256s)]
  const rows = await tx.$queryRaw<{ sha256: string }[]>`
    select sha256 from "Storage" where sha256 = any(${wanted}::text[]) order by sha256 for key share`
  const held = new Set(rows.map(({ sha256 }) => sha256))
  return new Set(wanted.filter((sha256) => !held.has(sha256)))
}
