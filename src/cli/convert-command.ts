import type { Command } from 'commander'
import { EXIT, usageError } from './failure.ts'
import { formatBytes } from './number-format.ts'
import { checkOutput } from './output-file.ts'
import { runOffline, type CommonOptions } from './run-command.ts'
import type { CliServices } from './services.ts'
import { NO_DISPLAY, transferDisplay } from './transfer-display.ts'
import { writeOptions, type WriteOptions } from './write-options.ts'

interface ConvertOptions extends Pick<CommonOptions, 'json'>, WriteOptions {
  readonly output: string
}

const HELP = `
Needs no platform, and executes nothing that is in the file. The kind of file follows from the name of the output, or from --format.

Examples:
  $ nograd convert model.pth --output model.safetensors
  $ nograd convert gpu.pth --output cpu.pth --map-location cpu
  $ nograd convert ddp.pth --output half.pth --state-dict --strip-prefix module. --dtype float16`

/** Adds `convert` to the program. */
export function addConvert(program: Command, services: CliServices): void {
  const command = program
    .command('convert')
    .description('Write a checkpoint file as another one: format, location tags, element type, keys.')
    .argument('<file>', 'the checkpoint: .pth (torch.save), .safetensors, or the .index.json of shards next to it')
    .requiredOption('--output <file>', 'file to write')
  writeOptions(command)
    .option('--json', 'print one JSON object on stdout, and errors as JSON on stderr')
    .addHelpText('after', HELP)
    .action((file: string, options: ConvertOptions) =>
      runOffline(services, options, (signal) => convert(services, file, options, signal)),
    )
}

async function convert(
  services: CliServices,
  file: string,
  options: ConvertOptions,
  signal: AbortSignal,
): Promise<number> {
  const { output, json } = options
  await checkOutput(output, options.force === true)
  const format = options.format ?? formatOf(output)
  const silent = json === true && services.stderr.isTTY !== true
  const display = silent ? NO_DISPLAY : transferDisplay(services.stderr, output)
  try {
    // Loaded only for this command: what reads and writes checkpoints is large.
    const { convertFile } = await import('./convert-file.ts')
    const { sha256, bytes, warnings } = await convertFile(file, { ...options, format }, display, signal)
    display.ended()
    if (json !== true) for (const warning of warnings) services.stderr.write(`warning: ${warning}\n`)
    services.stdout.write(
      json === true
        ? `${JSON.stringify({ file: output, format, bytes, sha256, warnings })}\n`
        : `${output}: ${formatBytes(bytes)}, SHA-256 ${sha256}\n`,
    )
    return EXIT.ok
  } finally {
    display.ended()
  }
}

function formatOf(output: string): 'pth' | 'safetensors' {
  if (/\.safetensors$/i.test(output)) return 'safetensors'
  if (/\.(pth|pt|bin|ckpt)$/i.test(output)) return 'pth'
  throw usageError(`--output ${output}: give it the extension .pth or .safetensors, or say --format`)
}
