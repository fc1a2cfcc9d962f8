import { Command, CommanderError, Option } from 'commander'
import { EXIT, addCommands, reportError, type CliServices } from '../cli/index.ts'
import { AppError } from '../error.ts'
import { outliveOutput } from './broken-output.ts'
import type { StartMessage } from './local-platform.ts'
import { packageVersion } from './package-version.ts'
import { LOG_LEVELS, SETTINGS, readSettings, type Flags } from './settings.ts'
import { Stopped } from './stop-signals.ts'

const HELP = `
Examples:
  $ nograd start                         the platform on this machine, with an embedded PostgreSQL
  $ nograd evaluate --help               evaluate a checkpoint from a terminal or a pipeline
  $ nograd predict --help                ask a checkpoint about a few samples
  $ nograd runs                          what was evaluated

docs/settings.md lists the environment variables.`

const START_HELP = `
Examples:
  $ nograd start --port 4001
  $ nograd start --data-dir /srv/nograd --host 0.0.0.0
  $ DATABASE_URL=postgresql://nograd:secret@db:5432/nograd nograd start --no-sample`

/**
 * Runs the program.
 * @param argv arguments without Node and the program's name.
 * @returns the exit code.
 */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  let exitCode: number = EXIT.ok
  const exit = (code: number): void => void (exitCode = code)
  const json = argv.includes('--json')
  const { stdout, stderr } = process
  const services: CliServices = {
    stdout,
    stderr,
    exit,
    localPlatform: async (dataDir, say) => {
      const settings = readSettings(dataDir === undefined ? {} : { dataDir }, process.env)
      const { localPlatform } = await import('./local-platform.ts')
      return localPlatform(settings.dataDir, say)
    },
  }
  const program = new Command('nograd')
    .description(
      'Evaluates PyTorch checkpoints under one protocol (evaluation mode, no gradients) and keeps what it found.',
    )
    .version(packageVersion())
    .exitOverride()
    .configureOutput({ outputError: (message, write) => (json ? undefined : write(message)) })
    .addHelpText('after', HELP)
  addStart(program, exit)
  addCommands(program, services)
  addRoles(program, exit)
  try {
    await program.parseAsync([...argv], { from: 'user' })
  } catch (error) {
    return reportUsage(error, json)
  }
  return exitCode
}

/** commander has said what is wrong already, except with `--json`. */
function reportUsage(error: unknown, json: boolean): number {
  if (!(error instanceof CommanderError)) return reportError(process, error, json)
  if (error.exitCode === 0) return EXIT.ok
  return json ? reportError(process, error, true) : EXIT.usage
}

interface StartFlags extends Flags {
  readonly temporary?: boolean
}

function addStart(program: Command, exit: (code: number) => void): void {
  withSettings(program.command('start'), ['host', 'port', 'dataDir', 'logLevel', 'engines', 'engineThreads'])
    .description('Run the platform: API, worker, and an embedded PostgreSQL unless DATABASE_URL names another.')
    .option('--no-sample', 'do not import and evaluate the sample on an empty database')
    .addOption(new Option('--temporary').hideHelp())
    .addHelpText('after', START_HELP)
    .action(async ({ temporary = false, ...flags }: StartFlags) => {
      const tell = (message: StartMessage): void => void process.send?.(message)
      await role(
        exit,
        async () => {
          const { start } = await import('./start.ts')
          // `--no-sample` was not given: the variable decides.
          const { sample, ...rest } = flags
          const settings = readSettings(sample === false ? flags : rest, process.env)
          await start(settings, { temporary, onReady: (url) => tell({ kind: 'ready', url }) })
        },
        (code, message) => tell({ kind: 'failed', code, message }),
      )
    })
}

interface WorkerFlags extends Flags {
  readonly supervised?: boolean
}

function addRoles(program: Command, exit: (code: number) => void): void {
  withSettings(program.command('api'), ['host', 'port', 'dataDir', 'logLevel'])
    .description('Run only the API. Needs DATABASE_URL.')
    .action((flags: Flags) =>
      role(exit, async () => (await import('./api-role.ts')).apiRole(readSettings(flags, process.env))),
    )
  withSettings(program.command('worker'), ['dataDir', 'logLevel', 'engines', 'engineThreads'])
    .description('Run only a worker. Needs DATABASE_URL.')
    .addOption(new Option('--supervised').hideHelp())
    .action(({ supervised = false, ...flags }: WorkerFlags) =>
      role(exit, async () => {
        const { workerRole } = await import('./worker-role.ts')
        await workerRole(readSettings(flags, process.env), supervised)
      }),
    )
}

function withSettings(command: Command, names: readonly (keyof typeof SETTINGS)[]): Command {
  for (const name of names) {
    const definition: { readonly flag?: string; readonly description: string; readonly env: readonly string[] } =
      SETTINGS[name]
    if (definition.flag === undefined) continue
    const hint = name === 'logLevel' ? ` ${LOG_LEVELS.join(', ')}.` : ''
    command.option(definition.flag, `${definition.description}${hint} [${definition.env.join(', ')}]`)
  }
  return command
}

/** Runs a role to its end. What a user can cause is one line; a bug of ours has its stack. */
async function role(
  exit: (code: number) => void,
  action: () => Promise<void>,
  onFailure: (code: string, message: string) => void = () => undefined,
): Promise<void> {
  outliveOutput()
  try {
    await action()
  } catch (error) {
    if (error instanceof Stopped) return
    const code = error instanceof AppError ? error.code : 'INTERNAL'
    onFailure(code, error instanceof Error ? error.message : String(error))
    exit(reportError(process, error, false))
  }
}
