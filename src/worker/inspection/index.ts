export { inspectJob, type InspectionBench } from './inspect-job.ts'
export { runGate, type RunGate } from './run-gate.ts'
