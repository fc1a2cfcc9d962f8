import type { Platform } from '../usecase/index.ts'
import { createLoaders, type Loaders } from './loader/index.ts'

/** What resolvers work with: one for each operation, and for each event of a subscription. */
export interface Context {
  readonly platform: Platform
  readonly loaders: Loaders
}

/** A context with an empty memory. */
export const createContext = (platform: Platform): Context => ({
  platform,
  loaders: createLoaders(platform),
})
