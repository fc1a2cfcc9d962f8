import type { GraphNode } from '../../architecture/index.ts'
import { AppError } from '../../error.ts'
import { engineFailed } from '../engine-failed.ts'

/** How messages call a node. */
export const nodeText = ({ name, op, outputs }: GraphNode): string =>
  `node ${JSON.stringify(name || (outputs[0] ?? ''))} (${op})`

/** How messages of shape inference call a node. */
const INFERRED_NODE = /^node (.+?) \((\w+)\): /

/** What TensorFlow and Dawn say when the memory of a device is full. */
const OUT_OF_MEMORY = /OOM when allocating|ResourceExhausted|RESOURCE_EXHAUSTED|out of memory|max ?buffer ?size/i

/** An exception as our own. */
export function engineError(doing: string, error: unknown): AppError {
  if (engineFailed(error)) return error
  if (error instanceof AppError && error.code === 'ARCHITECTURE_UNSUPPORTED_OPERATOR') return error
  const text = error instanceof Error ? error.message : String(error)
  const reason = text.replace(INFERRED_NODE, (_, name: string, op: string) => `node ${JSON.stringify(name)} (${op}): `)
  const code = OUT_OF_MEMORY.test(text) ? 'DEVICE_OUT_OF_MEMORY' : 'ENGINE_FAILED'
  return new AppError(code, `tensorflow failed ${doing}: ${reason}`, { cause: error })
}
