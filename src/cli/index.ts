import type { Command } from 'commander'
import { addCancel } from './cancel-command.ts'
import { addCompare } from './compare/index.ts'
import { addCompareEngines } from './compare-engines-command.ts'
import { addConvert } from './convert-command.ts'
import { addDelete } from './delete-command.ts'
import { addDownload } from './download-command.ts'
import { addEvaluate } from './evaluate-command.ts'
import { addGc } from './gc-command.ts'
import { addInspect } from './inspect/index.ts'
import { platformUrl } from './option-values.ts'
import { addPredict } from './predict-command.ts'
import { addRuns } from './runs-command.ts'
import type { CliServices } from './services.ts'
import { addStorage } from './storage-command.ts'
import { addUpload } from './upload-command.ts'
import { addVerify } from './verify-command.ts'

export { CLI_CODES, EXIT, usageError } from './failure.ts'
export { reportError } from './run-command.ts'
export { importAndRunSample, sampleIsWanted, type SampleFiles } from './sample.ts'
export type { CliServices, LocalPlatform } from './services.ts'

/** Adds the commands: all but `convert`, and `inspect` and `compare-checkpoints` of files, talk to a platform. */
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
  addUpload(program, services, common)
  addDownload(program, services, common)
  addConvert(program, services)
  addRuns(program, services, common)
  addCancel(program, services, common)
  addStorage(program, services, common)
  addVerify(program, services, common)
  addDelete(program, services, common)
  addGc(program, services, common)
  addInspect(program, services, common)
  addCompare(program, services, common)
  addCompareEngines(program, services, common)
}
