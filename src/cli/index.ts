import type { Command } from 'commander'
import { addCancel } from './cancel-command.ts'
import { addEvaluate } from './evaluate-command.ts'
import { platformUrl } from './option-values.ts'
import { addPredict } from './predict-command.ts'
import { addRuns } from './runs-command.ts'
import type { CliServices } from './services.ts'

export { CLI_CODES, EXIT, usageError } from './failure.ts'
export { reportError } from './run-command.ts'
export { importAndRunSample, sampleIsWanted, type SampleFiles } from './sample.ts'
export type { CliServices, LocalPlatform } from './services.ts'

/** Adds the commands that talk to a platform: `evaluate`, `predict`, `runs`, `cancel`. */
export function addCommands(program: Command, services: CliServices): void {
  const common = (command: Command): Command =>
    command
      .option(
        '--url <url>',
        'address of a platform (default: the one on this machine, started for the duration if need be)',
        platformUrl,
      )
      .option('--data-dir <folder>', 'data folder of the platform on this machine')
      .option('--json', 'print one JSON object on stdout, and errors as JSON on stderr')
  addEvaluate(program, services, common)
  addPredict(program, services, common)
  addRuns(program, services, common)
  addCancel(program, services, common)
}
