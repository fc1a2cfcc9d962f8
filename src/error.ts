/**
 * The codes of every failure that a user can meet. They are public API: a client may branch on them, so a code is
 * never renamed or reused. `docs/errors.md` and the `ErrorCode` enum of `schema.graphql` list the same codes; a test compares them.
 */
export const ERROR_CODES = {
  /** An argument, option or setting has a value that is not allowed. */
  BAD_INPUT: 'An argument, option or setting has a value that is not allowed.',
  /** No object has this id, or it is of another type. */
  NOT_FOUND: 'No object has this id, or it is of another type.',
  /** The object exists already, or its state does not allow the operation. */
  CONFLICT: 'The object exists already, or its state does not allow the operation.',
  /** A file or a request is larger than the named limit. */
  LIMIT_EXCEEDED: 'A file, a request or a declared size is larger than the named limit.',
  /** An upload was cut, is of the wrong length or has another hash than announced. */
  UPLOAD_INCOMPLETE: 'An upload was cut, has the wrong length, or has another hash than announced.',

  /** The file is none that this platform reads; the message says what it looks like. */
  CHECKPOINT_UNKNOWN_FORMAT: 'The file is no checkpoint format that is read; the message says what it looks like.',
  /** The file ends early or contradicts itself. */
  CHECKPOINT_CORRUPT: 'The checkpoint file ends early or contradicts itself.',
  /** The pickle names a class or function outside the closed list. Nothing was executed. */
  CHECKPOINT_UNSAFE_GLOBAL: 'The pickle names a class or function outside the closed list. Nothing was executed.',
  /** The file holds a whole pickled module instead of a state_dict. */
  CHECKPOINT_WHOLE_MODULE: 'The file holds a whole pickled module instead of a state_dict.',
  /** A valid file that uses a feature that is not supported; the message names it. */
  CHECKPOINT_UNSUPPORTED: 'A valid checkpoint file that uses a feature that is not supported; the message names it.',

  /** The layer list or ONNX file does not describe a graph that can be evaluated. */
  ARCHITECTURE_INVALID: 'The layer list or ONNX file does not describe a graph that can be evaluated.',
  /** The graph uses an operator or layer that is not supported. */
  ARCHITECTURE_UNSUPPORTED_OPERATOR: 'The graph uses an operator or layer that is not supported.',
  /** Initializers of an ONNX file are no state_dict keys; the message prints the export recipe. */
  ARCHITECTURE_NOT_STATE_DICT_KEYS:
    'Initializers of an ONNX file are no state_dict keys; the message prints the export recipe.',

  /** The checkpoint does not fit the architecture: missing or unexpected keys, size mismatches. */
  BINDING_FAILED: 'The checkpoint does not fit the architecture: missing or unexpected keys, or size mismatches.',

  /** The file is no dataset format that is read. */
  DATASET_UNKNOWN_FORMAT: 'The file is no dataset format that is read; the message says what it looks like.',
  /** The dataset file ends early or contradicts itself; the message says where. */
  DATASET_CORRUPT: 'The dataset file ends early or contradicts itself; the message says where.',
  /** A valid dataset file that uses a feature that is not supported; the message names it. */
  DATASET_UNSUPPORTED: 'A valid dataset file that uses a feature that is not supported; the message names it.',
  /** A feature or target is NaN or infinite. */
  DATASET_NOT_FINITE: 'A feature or a target is NaN or infinite; the message says where.',
  /** The samples do not fit the input of the architecture. */
  DATASET_SHAPE_MISMATCH: 'The samples do not fit the input or the output of the architecture.',
  /** A label is outside the classes of the model. */
  DATASET_LABEL_UNKNOWN: 'A label is outside the classes of the model.',

  /** The device is not there, or its name is none. */
  DEVICE_UNAVAILABLE: 'The device is not there, or its name is none.',
  DEVICE_OUT_OF_MEMORY:
    'The memory of the device does not hold the weights and a batch; a smaller batch, or another device, may do.',
  /** The engine failed while it loaded or executed the graph. */
  ENGINE_FAILED: 'The engine failed while it loaded or executed the graph.',
  /** The model answered NaN or infinity for a sample; the message names the sample. */
  LOGITS_NOT_FINITE: 'The model answered NaN or infinity for a sample; the message names the sample.',
  /** The worker that evaluated the run is gone, and the retries are used up. */
  WORKER_LOST: 'The worker that evaluated the run is gone, and the retries are used up.',

  /** Stored bytes are not what their hash says, or are gone; the message says which and what to do. */
  STORAGE_DAMAGED: 'Stored bytes are not what their hash says, or are gone; the message says which, and what to do.',
  /** No worker answered a prediction in time. */
  PREDICTION_TIMEOUT: 'No worker answered the prediction in time; the message says why, as far as that is known.',

  /** The GraphQL request does not parse, does not fit the schema, or its variables do not fit their types. */
  QUERY_INVALID:
    'The GraphQL request does not parse, does not fit the schema, or its variables do not fit their types.',
  /** The query is too deep, too costly, has too many aliases or tokens. */
  QUERY_TOO_COMPLEX: 'The query is nested too deeply, costs too much, or has too many aliases or tokens.',
  /** Something failed that is our fault; the id finds it in the log. */
  INTERNAL: 'Something failed that is not the caller’s fault; the id in the message finds it in the log.',
} as const

/** A code of `ERROR_CODES`. */
export type ErrorCode = keyof typeof ERROR_CODES

/**
 * A failure that a user can understand and act on. The message says where, what was found, what was expected, and
 * what to do. Anything else that is thrown is a bug of ours and is masked before it reaches a client.
 */
export class AppError extends Error {
  override readonly name = 'AppError'
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

/** Throws when one of our own assumptions does not hold. Never for what a user or a file can cause. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`invariant: ${message}`)
}
