/** Limits of one pickle. They bound memory and time whatever the bytes say; each byte of a pickle costs at most one object. */
export interface PickleLimits {
  /** Bytes of the pickle, which is held in memory. */
  readonly maxBytes: number
  /** Opcodes. A tensor of a state_dict takes about 30. */
  readonly maxOperations: number
  /** Containers, floats, bytes, tensors: what is more than a number or a string. A tensor takes about 8. */
  readonly maxObjects: number
  /** Highest memo index. Picklers count from 0; a forged index could make an array of any size. */
  readonly maxMemo: number
  /** Values inside of values. CPython's own pickler stops near 500. */
  readonly maxDepth: number
  /** Bytes of one string or bytes object. */
  readonly maxStringBytes: number
  /** Bytes of one integer. Reading an integer of n bytes takes n² time. */
  readonly maxIntegerBytes: number
}

/** Enough for a checkpoint of 300,000 tensors; about 600 MB of memory at the very worst. */
export const DEFAULT_PICKLE_LIMITS: PickleLimits = {
  maxBytes: 64 * 2 ** 20,
  maxOperations: 10_000_000,
  maxObjects: 3_000_000,
  maxMemo: 10_000_000,
  maxDepth: 1000,
  maxStringBytes: 16 * 2 ** 20,
  maxIntegerBytes: 256,
}
