import { AppError, type ErrorCode } from '../error.ts'

/** An `AppError` that knows which input field is to blame. */
export class InputError extends AppError {
  /**
   * From the argument down: `['input', 'modelId']`; null when it is not one field's fault. Not named `path`: graphql-js takes an
   * error with one for an error of its own that has its place in the response already.
   */
  readonly inputPath: readonly string[] | null

  constructor(code: ErrorCode, message: string, inputPath: readonly string[] | null = null) {
    super(code, message)
    this.inputPath = inputPath
  }
}
