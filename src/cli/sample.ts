import { SAMPLE_STATE, type EndedRun, type SampleState } from './documents.ts'
import { evaluateFiles } from './evaluate-files.ts'
import { connectTo } from './platform-client.ts'
import { progressDisplay, type ProgressStream } from './progress-display.ts'
import { resultTable } from './result-table.ts'

/** Paths of the sample's files. */
export interface SampleFiles {
  readonly architecturePath: string
  readonly checkpointPath: string
  readonly datasetPath: string
}

/** How the names of what is made from the sample begin. */
const SAMPLE_MODEL = 'digits_cnn-multiclass-'

/** Whether the platform is empty: no model, or only the sample's, of a first start that was interrupted. */
export async function sampleIsWanted(url: string, signal: AbortSignal): Promise<boolean> {
  const { models, runs } = await connectTo(url).query<SampleState>(SAMPLE_STATE, {}, signal)
  return runs.nodes.length === 0 && models.nodes.every(({ name }) => name.startsWith(SAMPLE_MODEL))
}

/**
 * Imports the sample and evaluates it through the API, as `evaluate` does, and shows progress and result.
 * @returns the run, whatever became of it.
 */
export async function importAndRunSample(
  url: string,
  files: SampleFiles,
  output: ProgressStream,
  signal: AbortSignal,
): Promise<EndedRun> {
  const request = { ...files, task: 'multiclass', name: 'sample', strict: true } as const
  const reporter = progressDisplay(output, request.task, 'evaluating the sample')
  const run = await evaluateFiles(connectTo(url), request, reporter, signal)
  if (run.status === 'SUCCEEDED') output.write(`${resultTable(run)}\n`)
  return run
}
