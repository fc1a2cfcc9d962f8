import { createInterface } from 'node:readline/promises'
import { Argument, type Command } from 'commander'
import { CliFailure, EXIT, usageError } from './failure.ts'
import { formatCount } from './number-format.ts'
import { runCommand, type CommonOptions } from './run-command.ts'
import type { CliServices } from './services.ts'
import {
  DELETE_CHECKPOINT,
  DELETE_DATASET,
  DELETE_MODEL,
  DELETE_RUN,
  type DeletionAnswer,
} from './storage-documents.ts'

interface DeleteOptions extends CommonOptions {
  readonly yes?: boolean
  readonly withRuns?: boolean
  readonly withCheckpoints?: boolean
}

type Kind = 'checkpoint' | 'dataset' | 'run' | 'model'

/** The mutation of each kind, and what it takes besides the id. */
const MUTATIONS: Readonly<Record<Kind, { readonly document: string; readonly takes: readonly Also[] }>> = {
  checkpoint: { document: DELETE_CHECKPOINT, takes: ['deleteRuns'] },
  dataset: { document: DELETE_DATASET, takes: ['deleteRuns'] },
  run: { document: DELETE_RUN, takes: [] },
  model: { document: DELETE_MODEL, takes: ['deleteRuns', 'deleteCheckpoints'] },
}
type Also = 'deleteRuns' | 'deleteCheckpoints'
const OPTIONS: Readonly<Record<Also, string>> = { deleteRuns: '--with-runs', deleteCheckpoints: '--with-checkpoints' }

const HELP = `
Bytes that another checkpoint or dataset uses stay. The others are removed a day later, or by \`nograd gc --grace 0\`.

Examples:
  $ nograd delete run run_01935c1e-7f0e-7cc2-b1a5-0f6a3a1d5a11
  $ nograd delete checkpoint ckp_01935c1e-7f0e-7cc2-b1a5-0f6a3a1d5a11 --with-runs --yes
  $ nograd delete model mdl_01935c1e-7f0e-7cc2-b1a5-0f6a3a1d5a11 --with-checkpoints --with-runs`

/** Adds `delete` to the program. */
export function addDelete(program: Command, services: CliServices, common: (command: Command) => Command): void {
  const command = program
    .command('delete')
    .description('Delete a checkpoint, a version of a dataset, a run that has ended, or a model.')
    .addArgument(new Argument('<kind>', 'what it is').choices(Object.keys(MUTATIONS)))
    .argument('<id>', 'its id')
    .option('--yes', 'do not ask')
    .option('--with-runs', 'its runs too')
    .option('--with-checkpoints', 'the checkpoints of the model too')
  common(command)
    .addHelpText('after', HELP)
    .action((kind: Kind, id: string, options: DeleteOptions) =>
      runCommand(services, options, async ({ client, signal }) => {
        const { document, takes } = MUTATIONS[kind]
        const also = wanted(kind, takes, options)
        if (options.yes !== true) await confirm(services, kind, id, also, signal)
        const input = { [`${kind}Id`]: id, ...Object.fromEntries(also.map((name) => [name, true])) }
        const { answer } = await client.query<{ readonly answer: DeletionAnswer }>(document, { input }, signal)
        const { deleted, errors } = answer
        if (deleted === null)
          throw new CliFailure(errors[0]?.code ?? 'INTERNAL', errors[0]?.message ?? 'nothing was deleted')
        services.stdout.write(options.json === true ? `${JSON.stringify({ deleted })}\n` : `${said(kind, deleted)}\n`)
        return EXIT.ok
      }),
    )
}

function wanted(kind: Kind, takes: readonly Also[], options: DeleteOptions): readonly Also[] {
  const given: Also[] = [
    ...(options.withRuns === true ? (['deleteRuns'] as const) : []),
    ...(options.withCheckpoints === true ? (['deleteCheckpoints'] as const) : []),
  ]
  const foreign = given.find((name) => !takes.includes(name))
  if (foreign !== undefined) throw usageError(`${OPTIONS[foreign]} does not go with a ${kind}`)
  return given
}

/** Asks a person; without one, nothing is deleted that nobody said yes to. */
async function confirm(
  { stderr }: CliServices,
  kind: Kind,
  id: string,
  also: readonly Also[],
  signal: AbortSignal,
): Promise<void> {
  if (!process.stdin.isTTY || stderr.isTTY !== true)
    throw usageError(`nobody can be asked whether ${kind} ${id} is to be deleted; give --yes`)
  const more = also.map((name) => (name === 'deleteRuns' ? 'its runs' : 'its checkpoints'))
  const reader = createInterface({ input: process.stdin, output: stderr })
  try {
    const answer = await reader.question(`Delete ${[`${kind} ${id}`, ...more].join(' and ')}? [y/N] `, { signal })
    if (!/^y(es)?$/i.test(answer.trim())) throw new CliFailure('NOT_CONFIRMED', 'nothing was deleted')
  } finally {
    reader.close()
  }
}

function said(kind: Kind, { id, runs, checkpoints }: NonNullable<DeletionAnswer['deleted']>): string {
  const more = [
    ...(kind === 'model' && checkpoints > 0 ? [counted(checkpoints, 'checkpoint')] : []),
    ...(kind !== 'run' && runs > 0 ? [counted(runs, 'run')] : []),
  ]
  return `${id} is deleted${more.length === 0 ? '' : `, with ${more.join(' and ')}`}`
}

const counted = (count: number, noun: string): string => `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`
