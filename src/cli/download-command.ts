import type { Command } from 'commander'
import { DOWNLOAD_HASH, FIND_DOWNLOAD, type DownloadHash, type FindDownload } from './documents.ts'
import { downloadFile } from './download-file.ts'
import { EXIT, usageError } from './failure.ts'
import { keyMappingOf } from './key-mapping.ts'
import { findCheckpoint } from './find-checkpoint.ts'
import { formatBytes } from './number-format.ts'
import { checkOutput } from './output-file.ts'
import { runCommand, type CommandContext, type CommonOptions } from './run-command.ts'
import type { CliServices } from './services.ts'
import { NO_DISPLAY, transferDisplay } from './transfer-display.ts'
import { writeOptions, type WriteOptions } from './write-options.ts'

interface DownloadOptions extends CommonOptions, WriteOptions {
  readonly model?: string
  readonly checkpoint?: string
}

const HELP = `
A download that was cut goes on where it broke: the bytes that came are in OUTPUT.part until the file is whole and its hash is right.

Examples:
  $ nograd download ckp_01890a5d-ac96-774b-bcce-b302099a8057
  $ nograd download --model resnet18 --checkpoint epoch9 --output best.pth --map-location cpu
  $ nograd download --model resnet18 --checkpoint epoch9 --state-dict --dtype float16 --format safetensors`

/** Adds `download` to the program. */
export function addDownload(program: Command, services: CliServices, common: (command: Command) => Command): void {
  const command = program
    .command('download')
    .description('Write a stored checkpoint into a file that torch.load or safetensors opens.')
    .argument('[checkpoint-id]', 'id of the checkpoint: ckp_…')
    .option('--model <name>', 'name of its model, instead of the id')
    .option('--checkpoint <name>', 'name of the checkpoint in that model')
    .option('--output <file>', 'file to write (default: its own name, in this folder)')
  common(writeOptions(command))
    .addHelpText('after', HELP)
    .action((id: string | undefined, options: DownloadOptions) =>
      runCommand(services, options, (context) => download(services, id, options, context)),
    )
  command.hook('preAction', () => {
    const { model, checkpoint } = command.opts<DownloadOptions>()
    const byName = model !== undefined && checkpoint !== undefined
    const named = model !== undefined || checkpoint !== undefined
    if ((command.args.length === 1) === named || (named && !byName))
      throw usageError('give the id of a checkpoint, or --model and --checkpoint')
  })
}

async function download(
  services: CliServices,
  id: string | undefined,
  options: DownloadOptions,
  context: CommandContext,
): Promise<number> {
  const { client, signal } = context
  const variables = {
    id: id ?? (await findCheckpoint(client, { model: options.model!, name: options.checkpoint! }, signal)),
    format: options.format?.toUpperCase(),
    content: options.stateDict === true ? 'STATE_DICT' : undefined,
    mapLocation: options.mapLocation,
    dtype: options.dtype?.toUpperCase(),
    keyMapping: keyMappingOf(options),
  }
  const { checkpoint } = await client.query<FindDownload>(FIND_DOWNLOAD, variables, signal)
  const { url, fileName, byteLength } = checkpoint.download
  // A name comes from whoever uploaded the file: it must not lead out of this folder.
  const path = options.output ?? (fileName.replace(/[/\\\0]/g, '_').replace(/^\.+/, '') || 'checkpoint')
  await checkOutput(path, options.force === true)
  const silent = options.json === true && services.stderr.isTTY !== true
  const display = silent ? NO_DISPLAY : transferDisplay(services.stderr, path)
  try {
    const request = {
      url: client.url + url,
      path,
      byteLength,
      sha256: async () =>
        (await client.query<DownloadHash>(DOWNLOAD_HASH, variables, signal)).checkpoint.download.sha256,
    }
    const { sha256, bytes, resumedAt } = await downloadFile(request, (now, total) => display.moved(now, total), signal)
    display.ended()
    services.stdout.write(
      options.json === true
        ? `${JSON.stringify({ checkpoint: checkpoint.id, file: path, bytes, sha256, resumedAt })}\n`
        : `${path}: ${formatBytes(bytes)}, SHA-256 ${sha256}\n`,
    )
    return EXIT.ok
  } finally {
    display.ended()
  }
}
