import type { Platform, Predictor } from '../usecase/index.ts'
import { createLoaders, type Loaders } from './loader/index.ts'

/** What resolvers work with: one for each operation, and one for the events of a turn. */
export interface Context {
  readonly platform: Platform
  readonly loaders: Loaders
  readonly predictor: Predictor
}

/** A context with an empty memory. */
export const createContext = (platform: Platform, predictor: Predictor): Context => ({
  platform,
  predictor,
  loaders: createLoaders(platform),
})

/**
 * Contexts for the events of subscriptions. An event reaches its thousand subscribers in one turn of the event loop: they share a context,
 * and so its queries, which are sent at the end of the turn. The next event is another turn and begins with an empty memory.
 */
export function contextsOfTurns(platform: Platform, predictor: Predictor): () => Context {
  let current: Context | null = null
  return () => {
    if (current === null) {
      current = createContext(platform, predictor)
      // Ticks come after all promise jobs of the turn; the loaders, which wait in the same way, send after this.
      process.nextTick(() => {
        current = null
      })
    }
    return current
  }
}
