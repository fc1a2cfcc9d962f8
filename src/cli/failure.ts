/** What a command ends with, for `$?`. */
export const EXIT = {
  /** The run succeeded. */
  ok: 0,
  /** The run failed, or what was asked for was refused. */
  failed: 1,
  /** The command line makes no sense. */
  usage: 2,
  /** Ctrl-C, as shells count it: 128 + SIGINT. */
  interrupted: 130,
} as const

/** Codes that only the command line has; all others are the platform's (`src/error.ts`). */
export const CLI_CODES = {
  USAGE: 'The command line makes no sense: an unknown option, a value that is not allowed, a file that is not there.',
  PLATFORM_UNREACHABLE: 'No platform answers at the address, or the connection broke and did not come back.',
  PLATFORM_PROTOCOL: 'What answers at the address is no nograd platform, or one of another version.',
  RUN_CANCELLED: 'The run was cancelled.',
  NOT_CONFIRMED: 'The question whether to delete was not answered with yes.',
} as const

/** A failure that the command line reports: one line on stderr, or one JSON object with `--json`. */
export class CliFailure extends Error {
  override readonly name = 'CliFailure'
  /** A code of the platform or of `CLI_CODES`. */
  readonly code: string
  readonly exitCode: number

  constructor(code: string, message: string, exitCode: number = EXIT.failed, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.code = code
    this.exitCode = exitCode
  }
}

/** Wrong usage. */
export const usageError = (message: string): CliFailure => new CliFailure('USAGE', message, EXIT.usage)

/** Nothing answers at the address. */
export function unreachable(base: string, error: unknown): CliFailure {
  return new CliFailure(
    'PLATFORM_UNREACHABLE',
    `no platform answers at ${base} (${reason(error)}). Is it running, and is the address right?`,
    undefined,
    { cause: error },
  )
}

/** Something else than a platform answers. */
export function notThePlatform(base: string, status: number, text: string): CliFailure {
  const start = JSON.stringify(text.slice(0, 80))
  return new CliFailure(
    'PLATFORM_PROTOCOL',
    `${base} answers with HTTP ${status} and ${start}, which is no answer of nograd. Is the address right?`,
  )
}

/** fetch hides the reason (ECONNREFUSED …) in the cause of its error. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  if (cause instanceof AggregateError && cause.errors[0] instanceof Error) return cause.errors[0].message
  return cause instanceof Error ? cause.message : error.message
}
