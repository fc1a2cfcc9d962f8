import { Option, type Command } from 'commander'
import type { MapLocation, PrefixRename } from './evaluation-request.ts'
import { mapLocation, prefixRename } from './option-values.ts'

/** Options of a file that is written: the same for a download and for a conversion. */
export interface WriteOptions {
  readonly output?: string
  readonly force?: boolean
  readonly format?: 'pth' | 'safetensors'
  readonly stateDict?: boolean
  readonly mapLocation?: MapLocation
  readonly dtype?: 'float16' | 'bfloat16' | 'float32'
  readonly stripPrefix?: string
  readonly renamePrefix?: readonly PrefixRename[]
  readonly addPrefix?: string
}

/** Adds them. */
export const writeOptions = (command: Command): Command =>
  command
    .option('--force', 'replace the file if it is there already')
    .addOption(new Option('--format <format>', 'kind of file to write').choices(['pth', 'safetensors']))
    .option('--state-dict', 'write only the state_dict, without epoch, optimizer and the like')
    .option(
      '--map-location <location>',
      'location tags in the file: one for all storages, or a map: cpu, cuda:0=cpu',
      mapLocation,
    )
    .addOption(
      new Option('--dtype <dtype>', 'convert the floats of the state_dict').choices(['float16', 'bfloat16', 'float32']),
    )
    .option('--strip-prefix <prefix>', 'take this off the keys of the state_dict, such as module.')
    .option('--rename-prefix <from=to>', 'call a prefix of the keys something else; may be repeated', prefixRename)
    .option('--add-prefix <prefix>', 'put this before the keys of the state_dict')
