import type { CheckpointLimits } from '../limits.ts'
import { corrupt } from '../pickle/machine-state.ts'
import { readPickle } from '../pickle/machine.ts'

/** torch/serialization.py, MAGIC_NUMBER: the first pickle of torch.save's format before 1.6. */
const MAGIC_NUMBER = 0x1950a86a20f9469cfc6cn

/** Whether a file begins with that number, in whichever protocol it was pickled. */
export function isTorchLegacy(head: Uint8Array, where: string, limits: CheckpointLimits): boolean {
  if (head[0] !== 0x80) return false
  // 2 bytes of PROTO, 9 of FRAME, 12 of LONG1, STOP.
  const bytes = head.subarray(0, 24)
  const { value } = readPickle(bytes, {
    where,
    limits,
    persistentLoad: (machine) => {
      throw corrupt(machine, 'a persistent id')
    },
  })
  return value === MAGIC_NUMBER
}
