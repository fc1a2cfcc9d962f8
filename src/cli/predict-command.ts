import { Option, type Command } from 'commander'
import { bindingOptions } from './binding-options.ts'
import { usageError, EXIT } from './failure.ts'
import { checkFile, positiveInteger, probability, sampleIndices } from './option-values.ts'
import { STDIN, type PredictOptions } from './predict-options.ts'
import { predictSamples } from './predict-samples.ts'
import { predictionTable } from './prediction-table.ts'
import { runCommand } from './run-command.ts'
import type { CliServices } from './services.ts'

const HELP = `
Samples: a JSON file of nested arrays, the first level being the samples, or "-" for such JSON on standard input; for a model with several
inputs an object of arrays by input name. Or .npy, .npz, .safetensors or .csv, as for \`evaluate\`, with labels or without.

Exit code: 0 there is an answer; 1 it was refused or failed (the reason on stderr); 2 wrong usage; 130 Ctrl-C.

Examples:
  $ nograd predict --model digits --checkpoint "epoch 30" --dataset "digits test" --indices 0,5,7-9
  $ nograd predict --checkpoint-id ckp_01935c1e-7f0e-7cc2-b1a5-0f6a3a1d5a11 --input rows.csv --top 3
  $ echo '[[5.1, 3.5, 1.4, 0.2]]' | nograd predict --model iris --checkpoint best --input - --json`

/** Adds `predict` to the program. */
export function addPredict(program: Command, services: CliServices, common: (command: Command) => Command): void {
  const command = program
    .command('predict')
    .description('Ask a stored checkpoint about a few samples, and print classes and probabilities.')
    .option('--checkpoint-id <id>', 'the checkpoint by its id')
    .option('--model <name>', 'the model of the checkpoint: its name or its id')
    .option('--checkpoint <name>', 'the checkpoint by its name in the model')
    .option('--input <file>', 'the samples: .json, .npy, .npz, .safetensors or .csv; - for JSON on standard input')
    .option('--label-column <name>', 'column or array of the labels of --input, if it has any')
    .option('--dataset <name>', 'a stored dataset (its newest version), or its id')
    .option('--indices <list>', 'samples of the dataset, counted from 0: 0,5,7-9', sampleIndices)
    .option('--top <k>', 'print the k most probable classes', positiveInteger, 1)
    .option(
      '--threshold <p>',
      'probability from which binary and multilabel answers are positive (default: 0.5)',
      probability,
    )
    .addOption(
      new Option('--activation <name>', 'what turns logits into probabilities (default: as the task implies)').choices([
        'sigmoid',
        'softmax',
        'none',
      ]),
    )
  common(bindingOptions(command))
    .addHelpText('after', HELP)
    .action((options: PredictOptions) =>
      runCommand(services, options, async ({ client, signal }) => {
        const prediction = await predictSamples(client, options, signal)
        services.stdout.write(
          `${options.json === true ? JSON.stringify({ prediction }) : predictionTable(prediction, options.top)}\n`,
        )
        return EXIT.ok
      }),
    )
  // Before a platform is looked for or started.
  command.hook('preAction', () => checkOptions(command.opts<PredictOptions>()))
}

async function checkOptions(options: PredictOptions): Promise<void> {
  const { checkpointId, model, checkpoint, input, labelColumn, dataset, indices } = options
  const named = model !== undefined || checkpoint !== undefined
  if ((checkpointId !== undefined) === named || (named && (model === undefined || checkpoint === undefined)))
    throw usageError('name the checkpoint: either --checkpoint-id, or --model and --checkpoint')
  if ((input !== undefined) === (dataset !== undefined))
    throw usageError('name the samples: either --input, or --dataset and --indices')
  if ((dataset !== undefined) !== (indices !== undefined))
    throw usageError('--dataset and --indices go together: --dataset test --indices 0,5,7-9')
  if (labelColumn !== undefined && input === undefined) throw usageError('--label-column is for a file: --input')
  if (input !== undefined && input !== STDIN) await checkFile('--input', input)
}
