import { AppError } from '../../error.ts'
import type { UserErrorRecord } from '../record.ts'
import { InputError } from '../input-error.ts'

/** What a mutation answers: what it made, or why not. */
export type Payload<Name extends string, Value> = { [Key in Name]: Value | null } & {
  readonly errors: UserErrorRecord[]
}

/** Runs a use case and answers its expected failures as data; so those of translating its input, which `act` does first. */
export async function payload<Name extends string, Value>(
  name: Name,
  act: () => Promise<Value>,
): Promise<Payload<Name, Value>> {
  try {
    return { [name]: await act(), errors: [] } as unknown as Payload<Name, Value>
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return { [name]: null, errors: [userError(error)] } as unknown as Payload<Name, Value>
  }
}

const userError = (error: AppError): UserErrorRecord => ({
  code: error.code,
  message: error.message,
  path: error instanceof InputError ? error.inputPath : null,
})
