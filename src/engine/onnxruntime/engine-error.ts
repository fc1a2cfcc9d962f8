import { AppError } from '../../error.ts'

/** ONNX Runtime: `… while running Gemm node. Name:'/9/Gemm' Status Message: …`, perhaps with the source line it was built from. */
const NODE_FAILED = /while running (\S+) node\. Name:'(.*?)' Status Message: (.*)/s
const SOURCE_LINE = /(?:\/[\w./-]+\/)?[\w-]+\.(?:cc|h|cpp):\d+ (?:[\w:<>~]+(?:\([^)]*\)(?: const)?)? )?/g

/**
 * What is said when the memory of a device is full: the arena of any provider, CUDA and its libraries, Dawn (also of one buffer that is larger
 * than the adapter allows; a buffer that could not be made is invalid when it is used).
 */
const OUT_OF_MEMORY =
  /failed to allocate memory for requested buffer|smaller than requested bytes|out of memory|ALLOC_FAILED|max ?buffer ?size|bad_alloc|\[Invalid Buffer[^\]]*\] is invalid due to a previous error/i

/** An exception of ONNX Runtime as our own, naming the node. */
export function engineError(doing: string, error: unknown): AppError {
  if (error instanceof AppError) return error
  const text = error instanceof Error ? error.message : String(error)
  const [, op, name, reason] = NODE_FAILED.exec(text) ?? []
  const where = op === undefined ? doing : `${doing}, node ${JSON.stringify(name)} (${op})`
  return new AppError(
    OUT_OF_MEMORY.test(text) ? 'DEVICE_OUT_OF_MEMORY' : 'ENGINE_FAILED',
    `onnxruntime failed ${where}: ${(reason ?? text).replace(SOURCE_LINE, '').trim()}`,
    {
      cause: error,
    },
  )
}
