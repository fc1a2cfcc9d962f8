import type { Command } from 'commander'
import { scanGlobals } from '../../checkpoint/index.ts'
import { fileSource } from '../../container/index.ts'
import { AppError } from '../../error.ts'
import { EXIT } from '../failure.ts'
import { isCheckpointId } from '../open-checkpoint-file.ts'
import { positiveInteger } from '../option-values.ts'
import { reportError, runCommand, runOffline, type CommonOptions } from '../run-command.ts'
import type { CliServices } from '../services.ts'
import { printable, styleOf, widthOf } from '../style.ts'
import type { CheckpointReport } from './checkpoint-report.ts'
import { renderGlobals, renderReport } from './render-report.ts'
import { reportFile } from './report-file.ts'
import { reportStored } from './report-stored.ts'
import { OUTLINE_LIMITS, treeOutline } from './tree-outline.ts'
import { keyFilter, type Wanted } from './wanted.ts'

interface InspectOptions extends CommonOptions {
  readonly stats?: boolean
  readonly tree?: boolean
  readonly depth: number
  readonly key?: string
  readonly sha256?: boolean
}

const HELP = `
A file is looked into where it is: no platform is needed, and nothing in it is executed.

Examples:
  $ nograd inspect model.pth
  $ nograd inspect model.pth --stats --key 'layer4.*.weight'
  $ nograd inspect training.ckpt --tree --depth 4
  $ nograd inspect model.safetensors --json | jq '.tensors[] | select(.bytes > 1e6) | .key'
  $ nograd inspect ckp_01935c1e-7f0e-7cc2-b1a5-0f6a3a1d5a11 --stats`

/** Adds `inspect` to the program. */
export function addInspect(program: Command, services: CliServices, common: (command: Command) => Command): void {
  const command = program
    .command('inspect')
    .description('Show what a checkpoint holds: tensors, values, statistics. Of a file, or of a platform by its id.')
    .argument('<checkpoint>', 'a .pth, .pt, .ckpt or .safetensors file, or the id of a checkpoint (ckp_…)')
    .option('--stats', 'statistics of each tensor: minimum, maximum, mean, deviation, NaN, Inf, histogram')
    .option('--tree', 'the values of the file as an outline: epoch, optimizer state …')
    .option('--depth <n>', 'levels of the outline', positiveInteger, OUTLINE_LIMITS.depth)
    .option('--key <pattern>', 'only tensors whose key contains this, or matches it as a whole with * and ?')
    .option('--sha256', 'the hash of the file')
  common(command)
    .addHelpText('after', HELP)
    .action((checkpoint: string, options: InspectOptions) => {
      const { stats: statistics = false, tree = false, sha256 = false } = options
      const wanted: Wanted = { statistics, tree, sha256, key: keyFilter(options.key) }
      if (isCheckpointId(checkpoint))
        return runCommand(services, options, async ({ client, signal }) =>
          print(services, options, await reportStored(client, checkpoint, wanted, signal)),
        )
      return runOffline(services, options, async (signal) => {
        try {
          return await print(services, options, await reportFile(checkpoint, wanted, services.stderr, signal))
        } catch (error) {
          return await refused(services, options, checkpoint, error)
        }
      })
    })
}

async function print(services: CliServices, options: InspectOptions, report: CheckpointReport): Promise<number> {
  const { stdout } = services
  if (options.json === true) {
    stdout.write(`${JSON.stringify(report)}\n`)
    return EXIT.ok
  }
  stdout.write(`${renderReport(report, styleOf(stdout, process.env), widthOf(stdout))}\n`)
  if (report.tree !== undefined) {
    const tensorText = (index: number): string | undefined => {
      const tensor = report.treeTensors?.[index]
      return tensor && `${tensor.dtype} [${tensor.shape.join(', ')}]`
    }
    const lines = await treeOutline(report.tree, tensorText, { ...OUTLINE_LIMITS, depth: options.depth })
    stdout.write(`\n${lines.join('\n')}\n`)
  }
  return EXIT.ok
}

/** What is refused for what it names is shown with its names: `--json` has them on stdout, the refusal is on stderr as always. */
async function refused(services: CliServices, options: InspectOptions, path: string, error: unknown): Promise<number> {
  const suspicious =
    error instanceof AppError && ['CHECKPOINT_UNSAFE_GLOBAL', 'CHECKPOINT_WHOLE_MODULE'].includes(error.code)
  if (!suspicious) throw error
  await using source = await fileSource(path)
  const globals = await scanGlobals(source)
  const { stdout } = services
  const text =
    options.json === true
      ? JSON.stringify({
          source: path,
          fileName: source.name,
          fileBytes: source.size,
          error: { code: error.code, message: error.message },
          globals,
        })
      : `${printable(source.name)}\n${renderGlobals(globals, styleOf(stdout, process.env))}`
  stdout.write(`${text}\n`)
  return reportError(services, error, options.json === true)
}
