import { SingleBar } from 'cli-progress'
import type { Command } from 'commander'
import { CliFailure, EXIT, usageError } from './failure.ts'
import { formatBytes, formatCount } from './number-format.ts'
import type { PlatformClient } from './platform-client.ts'
import { runCommand, type CommonOptions } from './run-command.ts'
import type { CliServices } from './services.ts'
import {
  VERIFY_CHECKPOINT,
  VERIFY_DATASET,
  VERIFY_STORAGES,
  type Verdict,
  type VerificationAnswer,
} from './storage-documents.ts'

interface VerifyOptions extends CommonOptions {
  readonly all?: boolean
}

const HELP = `
Reads the bytes from the database once and compares their SHA-256. Ends with 1 when something is damaged. Damaged bytes are replaced
when a file that has the right ones is imported again.

Examples:
  $ nograd verify ckp_01935c1e-7f0e-7cc2-b1a5-0f6a3a1d5a11
  $ nograd verify --all --json`

/** Adds `verify` to the program. */
export function addVerify(program: Command, services: CliServices, common: (command: Command) => Command): void {
  const command = program
    .command('verify')
    .description('Check that the stored bytes of a checkpoint or a dataset, or all of them, are what was imported.')
    .argument('[id]', 'the id of a checkpoint or a dataset')
    .option('--all', 'everything that is stored, each byte once')
  common(command)
    .addHelpText('after', HELP)
    .action((id: string | undefined, options: VerifyOptions) =>
      runCommand(services, options, async ({ client, signal }) => {
        const { document, input } = scope(id, options.all === true)
        const total = await verify(client, document, input, signal, progress(services, options.json === true))
        const { storages, bytes, damaged } = total
        if (options.json === true)
          services.stdout.write(`${JSON.stringify({ verified: { storages, bytes }, damaged })}\n`)
        else services.stdout.write(`${[...damaged.map(line), summary(total)].join('\n')}\n`)
        return damaged.length === 0 ? EXIT.ok : EXIT.failed
      }),
    )
}

function scope(id: string | undefined, all: boolean): { readonly document: string; readonly input: object } {
  if ((id === undefined) !== all) throw usageError('verify takes the id of a checkpoint or a dataset, or --all')
  if (id === undefined) return { document: VERIFY_STORAGES, input: {} }
  if (id.startsWith('dat_')) return { document: VERIFY_DATASET, input: { datasetId: id } }
  return { document: VERIFY_CHECKPOINT, input: { checkpointId: id } }
}

interface Verified {
  readonly storages: number
  readonly bytes: number
  readonly damaged: readonly Verdict[]
}

/** Told after each part how many bytes of how many were verified; ended in any case. */
interface VerifyProgress {
  moved(bytes: number, total: number): void
  ended(): void
}

async function verify(
  client: PlatformClient,
  document: string,
  input: object,
  signal: AbortSignal,
  shown: VerifyProgress,
): Promise<Verified> {
  let storages = 0
  let bytes = 0
  const damaged: Verdict[] = []
  try {
    let after: string | null = null
    for (;;) {
      const { report, errors }: VerificationAnswer = (
        await client.query<{ readonly answer: VerificationAnswer }>(document, { input: { ...input, after } }, signal)
      ).answer
      if (report === null)
        throw new CliFailure(errors[0]?.code ?? 'INTERNAL', errors[0]?.message ?? 'nothing was verified')
      for (const verdict of report.storages) {
        storages++
        bytes += verdict.bytes
        if (verdict.status !== 'OK') damaged.push(verdict)
      }
      shown.moved(bytes, report.totalBytes)
      if (report.next === null) return { storages, bytes, damaged }
      after = report.next
    }
  } finally {
    shown.ended()
  }
}

/** A bar on a terminal, else a line for each part; nothing with --json where stderr is no terminal. */
function progress({ stderr }: CliServices, json: boolean): VerifyProgress {
  if (stderr.isTTY !== true)
    return {
      moved: (bytes, total) => {
        if (!json) stderr.write(`verified ${formatBytes(bytes)} of ${formatBytes(total)}\n`)
      },
      ended: () => undefined,
    }
  const bar = new SingleBar({
    stream: stderr,
    format: 'verifying {bar} {percentage}% {details}',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 24,
    hideCursor: true,
    gracefulExit: false,
  })
  let started = false
  return {
    moved: (bytes, total) => {
      const details = `${formatBytes(bytes)} of ${formatBytes(total)}`
      if (!started) bar.start(total, 0, { details })
      started = true
      bar.update(bytes, { details })
    },
    ended: () => {
      if (started) bar.stop()
    },
  }
}

function line({ sha256, status, problem, bytes, usedBy }: Verdict): string {
  const users = usedBy.map(({ id, name, version }) => `${name}${version === undefined ? '' : ` v${version}`} (${id})`)
  const used = users.length === 0 ? 'nothing uses it' : `used by ${users.join(', ')}`
  return `${status} ${sha256} (${formatBytes(bytes)}): ${problem ?? ''}; ${used}`
}

function summary({ storages, bytes, damaged }: Verified): string {
  const what = `${formatCount(storages)} storages, ${formatBytes(bytes)}`
  return damaged.length === 0 ? `${what}: all well` : `${what}: ${formatCount(damaged.length)} damaged`
}
