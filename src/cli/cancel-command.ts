import type { Command } from 'commander'
import { CANCEL_RUN, type CancelRun } from './documents.ts'
import { CliFailure, EXIT } from './failure.ts'
import { runCommand, type CommonOptions } from './run-command.ts'
import type { CliServices } from './services.ts'

const HELP = `
Examples:
  $ nograd cancel run_01935c1e-7f0e-7cc2-b1a5-0f6a3a1d5a11`

/** Adds `cancel` to the program. */
export function addCancel(program: Command, services: CliServices, common: (command: Command) => Command): void {
  const command = program
    .command('cancel')
    .description('Stop a run. One that has ended stays as it is.')
    .argument('<run-id>', 'the id of the run, as `nograd runs` lists it')
  common(command)
    .addHelpText('after', HELP)
    .action((runId: string, options: CommonOptions) =>
      runCommand(services, options, async ({ client, signal }) => {
        const { cancelRun } = await client.query<CancelRun>(CANCEL_RUN, { input: { runId } }, signal)
        const { run, errors } = cancelRun
        if (run === null)
          throw new CliFailure(errors[0]?.code ?? 'INTERNAL', errors[0]?.message ?? 'the run was not cancelled')
        services.stdout.write(options.json === true ? `${JSON.stringify({ run })}\n` : `${run.id} ${run.status}\n`)
        return EXIT.ok
      }),
    )
}
