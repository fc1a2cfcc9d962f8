import {
  CANCEL_RUN,
  GET_RUN,
  RUN_PROGRESS,
  START_RUN,
  type CancelRun,
  type EndedRun,
  type GetRun,
  type ProposedMapping,
  type RunProgressEvent,
  type StartRun,
} from './documents.ts'
import type { EvaluationReporter, EvaluationRequest } from './evaluation-request.ts'
import { metricInput } from './evaluation-options.ts'
import { CliFailure } from './failure.ts'
import { keyMappingOf } from './key-mapping.ts'
import { importFiles, type ImportedFiles } from './import-files.ts'
import type { PlatformClient } from './platform-client.ts'

/** What a cancelled run gets to end, before we stop waiting for it. */
const CANCEL_MS = 5_000

/**
 * Brings the files to the platform, starts a run and follows it to its end. Aborting `signal` cancels the run.
 * @returns the run as it ended: SUCCEEDED, FAILED or CANCELLED.
 * @throws CliFailure when there is no run: a file was refused, the checkpoint does not fit, the platform is gone.
 */
export async function evaluateFiles(
  client: PlatformClient,
  request: EvaluationRequest,
  reporter: EvaluationReporter,
  signal: AbortSignal,
): Promise<EndedRun> {
  try {
    const files = await importFiles({ client, reporter, signal }, request)
    signal.throwIfAborted()
    const id = await startRun(client, request, files)
    await followRun(client, id, reporter, signal)
    const { run } = await client.query<GetRun>(GET_RUN, { id })
    if (run === null) throw new CliFailure('NOT_FOUND', `run ${id} is gone`)
    return run
  } finally {
    reporter.ended()
  }
}

async function startRun(client: PlatformClient, request: EvaluationRequest, files: ImportedFiles): Promise<string> {
  const { name, batchSize, threshold, device, engine, computeDtype, strict, mapLocation } = request
  const input = {
    ...files,
    name,
    batchSize,
    threshold,
    device,
    engine: engine?.toUpperCase(),
    computeDtype: computeDtype?.toUpperCase(),
    strict,
    mapLocation,
    keyMapping: keyMappingOf(request),
    ...metricInput(request),
  }
  const { run, binding, errors } = (await client.query<StartRun>(START_RUN, { input })).startRun
  if (run !== null) return run.id
  const [first] = errors
  // The message says what to do in the API's words; this is how the command line says it.
  const cures = (binding?.proposals ?? []).flatMap(cureOf)
  const message = [...errors.map(({ message: text }) => text), ...cures].join('\n')
  throw new CliFailure(first?.code ?? 'INTERNAL', message || 'the platform refused the run')
}

/** How the command line says what a proposal changes about keys. */
function cureOf({ stripPrefix, renamePrefixes, addPrefix }: ProposedMapping): string[] {
  const flags = [
    ...(stripPrefix === null ? [] : [`--strip-prefix ${stripPrefix}`]),
    ...renamePrefixes.map(({ from, to }) => `--rename-prefix ${from}=${to}`),
    ...(addPrefix === null ? [] : [`--add-prefix ${addPrefix}`]),
  ]
  return flags.length === 0 ? [] : [`On the command line: ${flags.join(' ')}`]
}

/** Reports the run's events until it has ended. */
async function followRun(
  client: PlatformClient,
  id: string,
  reporter: EvaluationReporter,
  signal: AbortSignal,
): Promise<void> {
  const giveUp = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const cancel = (): void => {
    timer = setTimeout(() => giveUp.abort(interrupted(id)), CANCEL_MS)
    // Its failure shows as the run that does not end.
    client.query<CancelRun>(CANCEL_RUN, { input: { runId: id } }, giveUp.signal).catch(() => undefined)
  }
  if (signal.aborted) cancel()
  signal.addEventListener('abort', cancel)
  try {
    // Sent again after a lost connection, with the number of the last event that came.
    const variables: Record<string, unknown> = { id, after: null }
    for await (const { runProgress: event } of client.subscribe<RunProgressEvent>(
      RUN_PROGRESS,
      variables,
      giveUp.signal,
    )) {
      variables['after'] = event.seq
      if (event.progress !== null) reporter.progressed(event.progress)
      if (event.log !== null) reporter.logged(event.log.level, event.log.message)
    }
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', cancel)
  }
}

const interrupted = (id: string): CliFailure =>
  new CliFailure('RUN_CANCELLED', `stopped waiting for run ${id}, which was told to stop and has not yet`)
