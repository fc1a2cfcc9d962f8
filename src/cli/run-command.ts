import { CommanderError } from 'commander'
import { AppError } from '../error.ts'
import { CliFailure, EXIT } from './failure.ts'
import { connectTo, type PlatformClient } from './platform-client.ts'
import type { CliServices } from './services.ts'

/** Options that every command has. */
export interface CommonOptions {
  readonly url?: string
  readonly dataDir?: string
  readonly json?: boolean
}

/** What a command works with. */
export interface CommandContext {
  readonly client: PlatformClient
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal
}

/**
 * Runs a command against the platform it names and ends with its exit code. The first Ctrl-C asks the command to stop, the
 * second one ends the process.
 */
export async function runCommand(
  services: CliServices,
  options: CommonOptions,
  action: (context: CommandContext) => Promise<number>,
): Promise<void> {
  await runOffline(services, options, (signal) => withPlatform(services, options, signal, action))
}

/** Runs a command that needs no platform, and ends with its exit code. Signals as in `runCommand`. */
export async function runOffline(
  services: CliServices,
  options: CommonOptions,
  action: (signal: AbortSignal) => Promise<number>,
): Promise<void> {
  const interruption = new AbortController()
  const interrupt = (): void => {
    if (interruption.signal.aborted) process.exit(EXIT.interrupted)
    interruption.abort(new CliFailure('RUN_CANCELLED', 'interrupted', EXIT.interrupted))
  }
  // `nograd runs | head`: nobody wants the rest.
  services.stdout.once('error', () => process.exit())
  process.on('SIGINT', interrupt)
  process.on('SIGTERM', interrupt)
  try {
    services.exit(await action(interruption.signal))
  } catch (error) {
    const shown: unknown = interruption.signal.aborted ? interruption.signal.reason : error
    services.exit(reportError(services, shown, options.json === true))
  } finally {
    process.off('SIGINT', interrupt)
    process.off('SIGTERM', interrupt)
  }
}

async function withPlatform(
  services: CliServices,
  options: CommonOptions,
  signal: AbortSignal,
  action: (context: CommandContext) => Promise<number>,
): Promise<number> {
  if (options.url !== undefined) return action({ client: connectTo(options.url), signal })
  const say = (line: string): void => {
    if (options.json !== true || services.stderr.isTTY === true) services.stderr.write(`${line}\n`)
  }
  await using platform = await services.localPlatform(options.dataDir, say)
  return await action({ client: connectTo(platform.url), signal })
}

/**
 * Says on stderr why a command failed: as text, or as the object `{"error": {"code", "message"}}` on one line.
 * @returns the exit code.
 */
export function reportError(services: Pick<CliServices, 'stderr'>, error: unknown, json: boolean): number {
  const { code, message, exitCode } = describe(error)
  services.stderr.write(json ? `${JSON.stringify({ error: { code, message } })}\n` : `error: ${message} [${code}]\n`)
  return exitCode
}

function describe(error: unknown): { readonly code: string; readonly message: string; readonly exitCode: number } {
  if (error instanceof CliFailure) return error
  if (error instanceof AppError) return { code: error.code, message: error.message, exitCode: EXIT.failed }
  if (error instanceof CommanderError)
    return { code: 'USAGE', message: error.message.replace(/^error: /, ''), exitCode: EXIT.usage }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return { code: 'INTERNAL', message, exitCode: EXIT.failed }
}
