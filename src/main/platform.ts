import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Store } from '../store/index.ts'
import { DEFAULT_PLATFORM_LIMITS, type Platform } from '../usecase/index.ts'
import { checkpointLimits } from './checkpoint-limits.ts'
import type { Settings } from './settings.ts'

/** What every use case works with, from the settings. */
export function makePlatform(settings: Settings, store: Store, log: Logger): Platform {
  return {
    store,
    spoolDir: join(settings.dataDir, 'spool'),
    log,
    clock: () => new Date(),
    programs: new URL('../', import.meta.url),
    limits: {
      ...DEFAULT_PLATFORM_LIMITS,
      checkpoint: checkpointLimits(settings),
      ...(settings.maxUploadBytes === null ? {} : { uploadBytes: settings.maxUploadBytes }),
      ...(settings.spoolBytes === null ? {} : { spoolBytes: settings.spoolBytes }),
      ...(settings.keptSamplesBytes === null ? {} : { keptSamplesBytes: settings.keptSamplesBytes }),
      ...(settings.uploadLifetime === null ? {} : { uploadLifetimeMs: settings.uploadLifetime }),
    },
  }
}
