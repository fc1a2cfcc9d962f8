import type { EndedRun } from './documents.ts'

/** What `evaluate --json` prints: one object, whose shape is public API. */
export function resultJson(run: EndedRun): object {
  const { id, status, samples, durationMs, samplesPerSecond, device, engine } = run
  return {
    run: { id, status, samples, durationMs, samplesPerSecond, device, engine },
    metrics: run.metrics.map(({ name, average, class: className, value, interval = null }) => ({
      ...{ name, average, class: className, value, interval },
    })),
    slices: run.slices ?? [],
    confusionMatrix: run.confusionMatrix,
    classes: run.model.classes,
  }
}
