import type { Command } from 'commander'
import { LIST_RUNS, type ListRuns, type ListedRun } from './documents.ts'
import { EXIT } from './failure.ts'
import { grid } from './grid.ts'
import { formatCount, formatDuration, formatMetric } from './number-format.ts'
import { positiveInteger } from './option-values.ts'
import { runCommand, type CommonOptions } from './run-command.ts'
import type { CliServices } from './services.ts'

interface RunsOptions extends CommonOptions {
  readonly limit: number
}

const HELP = `
Examples:
  $ nograd runs
  $ nograd runs --limit 5 --json`

/** Adds `runs` to the program. */
export function addRuns(program: Command, services: CliServices, common: (command: Command) => Command): void {
  const command = program
    .command('runs')
    .description('List the last runs, newest first.')
    .option('--limit <n>', 'at most this many (100 at most)', positiveInteger, 20)
  common(command)
    .addHelpText('after', HELP)
    .action((options: RunsOptions) =>
      runCommand(services, options, async ({ client, signal }) => {
        const { runs } = await client.query<ListRuns>(LIST_RUNS, { first: options.limit }, signal)
        services.stdout.write(
          `${options.json === true ? JSON.stringify({ runs: runs.nodes }) : runsTable(runs.nodes)}\n`,
        )
        return EXIT.ok
      }),
    )
}

function runsTable(runs: readonly ListedRun[]): string {
  if (runs.length === 0) return 'There are no runs yet. `nograd evaluate --help` says how to start one.'
  const head = ['run', 'status', 'model', 'checkpoint', 'dataset', 'samples', 'result', 'started', 'took']
  return grid(head, runs.map(row), 'left')
}

function row(run: ListedRun): readonly string[] {
  return [
    run.name === null ? run.id : `${run.id} ${run.name}`,
    run.status,
    run.model.name,
    run.checkpoint.name,
    run.dataset.version === 1 ? run.dataset.name : `${run.dataset.name} v${run.dataset.version}`,
    run.samples === run.total ? formatCount(run.total) : `${formatCount(run.samples)} of ${formatCount(run.total)}`,
    result(run),
    new Date(run.createdAt).toLocaleString('sv-SE'),
    run.durationMs === null ? '' : formatDuration(run.durationMs),
  ]
}

/** The value that a list has room for: F1 (macro, or of the positive class), or R². */
function result({ metrics }: ListedRun): string {
  const overall = metrics.filter((metric) => metric.class === null)
  const find = (name: string, average: string | null): number | null | undefined =>
    overall.find((metric) => metric.name === name && metric.average === average)?.value
  const f1 = find('f1', null) ?? find('f1', 'macro')
  if (f1 !== undefined) return `F1 ${formatMetric(f1)}`
  const r2 = find('r2', null)
  return r2 === undefined ? '' : `R² ${formatMetric(r2)}`
}
