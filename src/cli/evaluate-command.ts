import { Option, type Command } from 'commander'
import { bindingOptions } from './binding-options.ts'
import { checkShards } from './checkpoint-files.ts'
import type { EndedRun } from './documents.ts'
import { datasetFlags, metricFlags } from './evaluation-options.ts'
import { evaluateFiles } from './evaluate-files.ts'
import {
  TASKS,
  type DatasetFlags,
  type MapLocation,
  type MetricFlags,
  type PrefixRename,
  type TaskName,
} from './evaluation-request.ts'
import { CliFailure, EXIT } from './failure.ts'
import { checkFile, classNames, probability } from './option-values.ts'
import { SILENT, progressDisplay } from './progress-display.ts'
import { resultJson } from './result-json.ts'
import { resultTable } from './result-table.ts'
import { reportError, runCommand, type CommonOptions } from './run-command.ts'
import type { CliServices } from './services.ts'

interface EvaluateOptions extends CommonOptions, DatasetFlags, MetricFlags {
  readonly architecture: string
  readonly checkpoint: string
  readonly dataset: string
  readonly task: TaskName
  readonly name?: string
  readonly classes?: readonly string[]
  readonly batchSize?: number
  readonly threshold?: number
  readonly device?: string
  readonly engine?: string
  readonly computeDtype?: string
  readonly mapLocation?: MapLocation
  readonly stripPrefix?: string
  readonly renamePrefix?: readonly PrefixRename[]
  readonly addPrefix?: string
  readonly strict: boolean
}

const HELP = `
Files that the platform has already (by their SHA-256) are not sent again, so evaluating the same files twice makes two runs
of the same model, checkpoint and dataset.

Exit code: 0 the run succeeded; 1 it failed or was refused (the reason on stderr); 2 wrong usage; 130 Ctrl-C.

Examples:
  $ nograd evaluate --architecture mlp.onnx --checkpoint best.pth --dataset test.csv --label-column target --task binary
  $ nograd evaluate --architecture cnn.layers.json --checkpoint epoch9.pth --dataset test.npz --task multiclass --json > result.json
  $ nograd evaluate --architecture cnn.onnx --checkpoint ddp.pth --dataset test.npz --task multiclass --strip-prefix module.
  $ nograd evaluate --architecture bert.onnx --checkpoint model.safetensors.index.json --dataset test.npz --task multiclass
  $ nograd evaluate --architecture mlp.onnx --checkpoint best.pth --dataset test.parquet --task binary --slice hospital --slice age:10
  $ nograd evaluate --architecture resnet.onnx --checkpoint r.pth --dataset val.zip --task multiclass --resize 256 --center-crop 224 \\
      --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225
  $ nograd evaluate --architecture cnn.onnx --checkpoint gpu.pth --dataset test.npz --task multiclass --map-location cuda:0=cpu`

/** Adds `evaluate` to the program. */
export function addEvaluate(program: Command, services: CliServices, common: (command: Command) => Command): void {
  const command = program
    .command('evaluate')
    .description('Evaluate a PyTorch checkpoint on a dataset, and print its metrics.')
    .requiredOption('--architecture <file>', 'the graph: an ONNX file, or a JSON list of torch.nn layers')
    .requiredOption(
      '--checkpoint <file>',
      'the weights: .pth (torch.save), .safetensors, or the .index.json of shards next to it',
    )
    .requiredOption(
      '--dataset <file>',
      'the samples and labels: .npz, .npy, .safetensors, .pt, .csv, .jsonl, .parquet, .arrow, or a .zip or .tar of images or IDX files',
    )
    .addOption(new Option('--task <task>', 'the question that the model answers').choices(TASKS).makeOptionMandatory())
    .option('--name <name>', 'a name for the run')
    .option(
      '--classes <names>',
      'class names by index: a,b,c or a JSON list; for binary the negative one first',
      classNames,
    )
    .option(
      '--threshold <p>',
      'probability from which binary and multilabel answers are positive (default: 0.5)',
      probability,
    )
  common(bindingOptions(metricFlags(datasetFlags(command))))
    .addHelpText('after', HELP)
    .action((options: EvaluateOptions) =>
      runCommand(services, options, (context) => evaluate(services, options, context)),
    )
  const check = async (): Promise<void> => {
    const { architecture, checkpoint, dataset } = command.opts<EvaluateOptions>()
    await checkFile('--architecture', architecture)
    await checkFile('--checkpoint', checkpoint)
    await checkShards(checkpoint, checkFile)
    await checkFile('--dataset', dataset)
  }
  // Before a platform is looked for or started.
  command.hook('preAction', check)
}

async function evaluate(
  services: CliServices,
  options: EvaluateOptions,
  { client, signal }: Parameters<Parameters<typeof runCommand>[2]>[0],
): Promise<number> {
  const { architecture, checkpoint, dataset, json, ...rest } = options
  // With --json, stderr is the error object's own, except on a terminal, where a person looks.
  const silent = json === true && services.stderr.isTTY !== true
  const reporter = silent ? SILENT : progressDisplay(services.stderr, options.task)
  const request = { ...rest, architecturePath: architecture, checkpointPath: checkpoint, datasetPath: dataset }
  const run = await evaluateFiles(client, request, reporter, signal)
  services.stdout.write(json === true ? `${JSON.stringify(resultJson(run))}\n` : `${resultTable(run)}\n`)
  return run.status === 'SUCCEEDED' ? EXIT.ok : reportRun(services, run, json === true, signal)
}

function reportRun(services: CliServices, run: EndedRun, json: boolean, signal: AbortSignal): number {
  const { code, message } = run.error ?? { code: 'RUN_CANCELLED', message: `run ${run.id} was cancelled` }
  const exitCode = signal.aborted ? EXIT.interrupted : EXIT.failed
  return reportError(services, new CliFailure(code, message, exitCode), json)
}
