import type { Command } from 'commander'
import { EXIT, usageError } from '../failure.ts'
import { isCheckpointId } from '../open-checkpoint-file.ts'
import { runCommand, runOffline, type CommonOptions } from '../run-command.ts'
import type { CliServices } from '../services.ts'
import { styleOf, widthOf } from '../style.ts'
import { compareFiles } from './compare-files.ts'
import { compareStored } from './compare-stored.ts'
import type { ComparisonReport } from './comparison-report.ts'
import { renderComparison } from './render-comparison.ts'

interface CompareOptions extends CommonOptions {
  readonly all?: boolean
}

const HELP = `
Two files are compared where they are, without a platform; two ids on the platform, by its worker.

Examples:
  $ nograd compare-checkpoints epoch1.pth epoch9.pth
  $ nograd compare-checkpoints base.safetensors tuned.pth --all
  $ nograd compare-checkpoints ckp_01935c1e-7f0e-7cc2-b1a5-0f6a3a1d5a11 ckp_01935c1e-9ad3-7b1c-8f40-2f5f3f0a7c20 --json`

/** Adds `compare-checkpoints` to the program. */
export function addCompare(program: Command, services: CliServices, common: (command: Command) => Command): void {
  const command = program
    .command('compare-checkpoints')
    .description('Show what differs between two checkpoints: keys, shapes, and how far the values are apart.')
    .argument('<base>', 'a file, or the id of a checkpoint (ckp_…)')
    .argument('<other>', 'another one of the same kind')
    .option('--all', 'list tensors that are equal too')
  common(command)
    .addHelpText('after', HELP)
    .action((base: string, other: string, options: CompareOptions) => {
      const print = (report: ComparisonReport): number => {
        const { stdout } = services
        const text =
          options.json === true
            ? JSON.stringify(report)
            : renderComparison(report, options.all === true, styleOf(stdout, process.env), widthOf(stdout))
        stdout.write(`${text}\n`)
        return EXIT.ok
      }
      const stored = [base, other].filter(isCheckpointId).length
      if (stored === 2)
        return runCommand(services, options, async ({ client, signal }) =>
          print(await compareStored(client, [base, other], signal)),
        )
      return runOffline(services, options, async (signal) => {
        if (stored === 1) throw usageError('give two files or two ids: a file and an id are not compared')
        return print(await compareFiles(base, other, services.stderr, signal))
      })
    })
}
