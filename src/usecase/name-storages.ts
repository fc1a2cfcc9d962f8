import { invariant } from '../error.ts'
import type { Store, Transaction } from '../store/index.ts'

/** Bytes that were put, and the rows that are to name them. */
export interface NamedStorages<T> {
  /** SHA-256 of each. */
  readonly hashes: readonly string[]
  /** Puts those with these hashes once more. */
  readonly putAgain: (gone: ReadonlySet<string>) => Promise<void>
  /** Writes the rows. */
  readonly write: (tx: Transaction) => Promise<T>
}

/**
 * Writes rows that name storages, in one transaction, whatever sweeps meanwhile: the storages are held first, and those that are gone,
 * because the import took longer than the sweep's grace or the sweep had none, are put again while no sweep runs.
 */
export async function nameStorages<T>(store: Store, { hashes, putAgain, write }: NamedStorages<T>): Promise<T> {
  const { prisma, bytes } = store
  const attempt = () =>
    prisma.$transaction(async (tx): Promise<Outcome<T>> => {
      const gone = await bytes.hold(tx, hashes)
      return gone.size > 0 ? { kind: 'gone', gone } : { kind: 'written', value: await write(tx) }
    })
  const first = await attempt()
  if (first.kind === 'written') return first.value
  return await bytes.withoutSweep(async () => {
    // Looked at again: until now, more of them may have gone.
    let outcome = await attempt()
    if (outcome.kind === 'gone') {
      await putAgain(outcome.gone)
      outcome = await attempt()
    }
    invariant(outcome.kind === 'written', 'nothing is swept while nothing sweeps')
    return outcome.value
  })
}

type Outcome<T> =
  { readonly kind: 'gone'; readonly gone: ReadonlySet<string> } | { readonly kind: 'written'; readonly value: T }
