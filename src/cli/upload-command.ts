import { basename } from 'node:path'
import type { Command } from 'commander'
import { barOn, linesOn, type ProgressStream } from './bar.ts'
import { EXIT } from './failure.ts'
import { hashFile } from './names.ts'
import { checkFile } from './option-values.ts'
import { runCommand, type CommonOptions } from './run-command.ts'
import type { CliServices } from './services.ts'
import { LARGE_FILE, transferText } from './transfer.ts'
import type { SentUpload } from './upload-file.ts'

const HELP = `
Prints the id of each upload, one on a line, in the order of the files; createModel, createCheckpoint and createDataset take it. An
upload that nobody imports is thrown away after a day.

A lost connection, or a platform that restarts, is waited for. A command that was stopped or killed can be given again: it goes on
where it ended, as long as the file has the same contents.

Examples:
  $ nograd upload best.pth
  $ nograd upload --url http://gpu-box:4000 *.safetensors --json`

/** Adds `upload` to the program. */
export function addUpload(program: Command, services: CliServices, common: (command: Command) => Command): void {
  const command = program
    .command('upload')
    .description('Send files to the platform, to be imported over GraphQL.')
    .argument('<files...>', 'checkpoints, ONNX files, layer lists, datasets')
  common(command)
    .addHelpText('after', HELP)
    .action((files: readonly string[], options: CommonOptions) =>
      runCommand(services, options, async ({ client, signal }) => {
        const silent = options.json === true && services.stderr.isTTY !== true
        using display = silent ? null : uploadDisplay(services.stderr)
        const sent: (SentUpload & { readonly file: string })[] = []
        for (const file of files) {
          const sha256 = await hashFile(file, signal)
          const upload = await client.upload(
            { path: file, sha256 },
            (bytes, total) => display?.uploading(basename(file), bytes, total),
            signal,
          )
          sent.push({ file, ...upload })
          if (options.json !== true) services.stdout.write(`${upload.uploadId}\n`)
        }
        if (options.json === true) services.stdout.write(`${JSON.stringify({ uploads: sent })}\n`)
        return EXIT.ok
      }),
    )
  // Before a platform is looked for or started.
  command.hook('preAction', async () => {
    for (const file of command.args) await checkFile('upload', file)
  })
}

interface UploadDisplay extends Disposable {
  uploading(fileName: string, sent: number, total: number): void
}

/** A bar that moves on a terminal, plain lines elsewhere; nothing for small files. */
function uploadDisplay(stream: ProgressStream): UploadDisplay {
  const text = transferText()
  if (stream.isTTY === true) {
    const bar = barOn(stream)
    return {
      uploading: (name, sent, total) => {
        if (total >= LARGE_FILE) bar.show(`sending ${name}`, sent, total, text(sent, total))
        if (sent === total) bar.stop()
      },
      [Symbol.dispose]: () => bar.stop(),
    }
  }
  const line = linesOn(stream)
  return {
    uploading: (name, sent, total) => {
      if (total >= LARGE_FILE) line(`sending ${name}: ${text(sent, total)}`, false)
    },
    [Symbol.dispose]: () => undefined,
  }
}
