import { setTimeout as delay } from 'node:timers/promises'
import { InvalidArgumentError, type Command } from 'commander'
import { CliFailure, EXIT } from './failure.ts'
import { formatBytes, formatCount } from './number-format.ts'
import { runCommand, type CommonOptions } from './run-command.ts'
import type { CliServices } from './services.ts'
import { COLLECT_GARBAGE, type CollectGarbage } from './storage-documents.ts'

interface GcOptions extends CommonOptions {
  readonly grace?: number
}

const HELP = `
Bytes that nothing refers to are removed by themselves, a day after they were put last. --grace 0 takes them now. That is safe while
files are imported: an import that finds its bytes gone puts them again.

Examples:
  $ nograd gc
  $ nograd gc --grace 0`

const UNIT_SECONDS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400 }

/** `90`, `90s`, `15m`, `24h`, `7d` in seconds. @throws InvalidArgumentError */
export function graceSeconds(text: string): number {
  const match = /^(\d{1,9})([smhd]?)$/.exec(text)
  if (match === null) throw new InvalidArgumentError('Seconds, or a time such as 15m, 24h or 7d, are expected.')
  return Number(match[1]) * UNIT_SECONDS[match[2]!]!
}

/** Adds `gc` to the program. */
export function addGc(program: Command, services: CliServices, common: (command: Command) => Command): void {
  const command = program
    .command('gc')
    .description('Remove bytes that no checkpoint and no dataset refers to any more, now.')
    .option('--grace <time>', 'leave what was put within this time (default: 24h)', graceSeconds)
  common(command)
    .addHelpText('after', HELP)
    .action((options: GcOptions) =>
      runCommand(services, options, async ({ client, signal }) => {
        const input = options.grace === undefined ? {} : { graceSeconds: options.grace }
        let storages = 0
        let bytes = 0
        for (let finished = false; !finished;) {
          const { collectGarbage } = await client.query<CollectGarbage>(COLLECT_GARBAGE, { input }, signal)
          const { garbage, errors } = collectGarbage
          if (garbage === null)
            throw new CliFailure(errors[0]?.code ?? 'INTERNAL', errors[0]?.message ?? 'nothing was removed')
          storages += garbage.storages
          bytes += garbage.bytes
          finished = garbage.finished
          // An import keeps the sweep away just now.
          if (!finished && garbage.storages === 0) await delay(1000, undefined, { signal })
        }
        services.stdout.write(
          options.json === true
            ? `${JSON.stringify({ garbage: { storages, bytes } })}\n`
            : `${formatBytes(bytes)} freed (${formatCount(storages)} storages)\n`,
        )
        return EXIT.ok
      }),
    )
}
