import { failInspection } from './finish-inspection.ts'
import type { Platform } from './platform.ts'

/** Looks for inspections of dead workers and gives them to others, or up when no retry is left. Dispose it to stop. */
export const watchInspections = (platform: Platform): AsyncDisposable =>
  platform.store.inspections.watch({ onLost: (lost) => failInspection(platform, lost) })
