import { cpus, totalmem } from 'node:os'
import type { Device } from './engine.ts'

/** The processor, which is always there. */
export const processor = (): Device => ({
  id: 'cpu',
  description: cpus()[0]?.model.trim() ?? process.arch,
  memoryBytes: totalmem(),
  computeDTypes: ['float32'],
})
