import type { Command } from 'commander'
import { COMPARE_ENGINES, type CompareEngines, type EngineComparison } from './documents.ts'
import { EXIT, usageError } from './failure.ts'
import { findCheckpoint } from './find-checkpoint.ts'
import { findDataset } from './find-dataset.ts'
import { grid } from './grid.ts'
import { keyMappingOf, type KeyOptions } from './key-mapping.ts'
import { hashFile } from './names.ts'
import { checkFile, positiveInteger, prefixRename } from './option-values.ts'
import { runCommand, type CommonOptions } from './run-command.ts'
import type { CliServices } from './services.ts'

interface CompareEnginesOptions extends CommonOptions, KeyOptions {
  readonly checkpointId?: string
  readonly model?: string
  readonly checkpoint?: string
  readonly dataset: string
  readonly sample: number
  readonly reference?: string
  readonly strict: boolean
}

const HELP = `
Every engine on every device of the live workers predicts the same samples. The reference is ONNX Runtime on the processor, or --reference: for
example \`numpy.save("logits.npy", model(x).numpy())\` with a row for each sample of the dataset, in its order.

Exit code: 0 there is an answer; 1 it was refused or failed (the reason on stderr); 2 wrong usage; 130 Ctrl-C.

Examples:
  $ nograd compare-engines --model digits --checkpoint "epoch 30" --dataset "digits test"
  $ nograd compare-engines --model digits --checkpoint "epoch 30" --dataset "digits test" --reference logits.npy --sample 1000`

/** Adds `compare-engines` to the program. */
export function addCompareEngines(
  program: Command,
  services: CliServices,
  common: (command: Command) => Command,
): void {
  const command = program
    .command('compare-engines')
    .description('Show how far the logits of the engines and devices that are there are apart, and how fast each is.')
    .option('--checkpoint-id <id>', 'the checkpoint by its id')
    .option('--model <name>', 'the model of the checkpoint: its name or its id')
    .option('--checkpoint <name>', 'the checkpoint by its name in the model')
    .requiredOption('--dataset <name>', 'a stored dataset (its newest version), or its id')
    .option('--sample <n>', 'samples, spread evenly over the dataset', positiveInteger, 256)
    .option('--reference <file>', 'logits to compare with: an .npy file')
    .option('--strip-prefix <prefix>', 'take this off the keys of the state_dict, such as module.')
    .option('--rename-prefix <from=to>', 'call a prefix of the keys something else; may be repeated', prefixRename)
    .option('--add-prefix <prefix>', 'put this before the keys of the state_dict')
    .option('--no-strict', 'allow missing and unexpected keys, as load_state_dict(strict=False) does')
  common(command)
    .addHelpText('after', HELP)
    .action((options: CompareEnginesOptions) =>
      runCommand(services, options, async ({ client, signal }) => {
        const { sample, strict, reference } = options
        const checkpointId =
          options.checkpointId ??
          (await findCheckpoint(client, { model: options.model ?? '', name: options.checkpoint ?? '' }, signal))
        const datasetId = await findDataset(client, options.dataset, signal)
        const file = reference === undefined ? null : { path: reference, sha256: await hashFile(reference, signal) }
        const uploaded = file === null ? null : await client.upload(file, () => undefined, signal)
        const input = {
          ...{ checkpointId, datasetId, sample, strict, keyMapping: keyMappingOf(options) },
          referenceUploadId: uploaded?.uploadId ?? null,
        }
        const { compareEngines } = await client.query<CompareEngines>(COMPARE_ENGINES, { input }, signal)
        services.stdout.write(
          `${options.json === true ? JSON.stringify({ comparison: compareEngines }) : comparisonTable(compareEngines)}\n`,
        )
        return EXIT.ok
      }),
    )
  // Before a platform is looked for or started.
  command.hook('preAction', async () => {
    const { checkpointId, model, checkpoint, reference } = command.opts<CompareEnginesOptions>()
    const named = model !== undefined || checkpoint !== undefined
    if ((checkpointId !== undefined) === named || (named && (model === undefined || checkpoint === undefined)))
      throw usageError('name the checkpoint: either --checkpoint-id, or --model and --checkpoint')
    if (reference !== undefined) await checkFile('--reference', reference)
  })
}

function comparisonTable({ samples, reference, engines }: EngineComparison): string {
  const rows = engines.map((one) => [
    `${one.engine.toLowerCase()} ${one.version}`,
    one.device,
    one.computeDtype.toLowerCase(),
    small(one.largestDifference),
    small(one.meanDifference),
    small(one.relativeDifference),
    one.labelFlips === null ? '' : String(one.labelFlips),
    one.samplesPerSecond === null ? '' : Math.round(one.samplesPerSecond).toLocaleString('en-US'),
  ])
  const head = ['engine', 'device', 'dtype', 'largest Δ', 'mean Δ', 'Δ ÷ max|logit|', 'flips', 'samples/s']
  return [
    grid(head, rows, 'left'),
    '',
    `${samples} samples, compared with ${reference}`,
    ...engines.flatMap(({ engine, device, error }) =>
      error === null ? [] : [`${engine.toLowerCase()} on ${device}: ${error.code}: ${error.message}`],
    ),
  ].join('\n')
}

const small = (value: number | null): string => (value === null ? '' : value === 0 ? '0' : value.toExponential(1))
