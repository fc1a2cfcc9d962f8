import { Option, type Command } from 'commander'
import { mapLocation, prefixRename } from './option-values.ts'

/** Adds the options that say how a checkpoint is bound, and where. */
export const bindingOptions = (command: Command): Command =>
  command
    .option('--device <device>', 'auto, cpu, or another device that a worker has (default: auto)')
    .addOption(
      new Option('--engine <engine>', 'what executes the graph (default: auto)').choices([
        'auto',
        'tensorflow',
        'onnxruntime',
      ]),
    )
    .addOption(
      new Option(
        '--compute-dtype <dtype>',
        'what floating point is computed in, where the device can (default: float32)',
      ).choices(['float32', 'float16']),
    )
    .option('--map-location <location>', 'device for all storages, or a map of tags: cpu, cuda:0=cpu', mapLocation)
    .option('--strip-prefix <prefix>', 'take this off the keys of the state_dict, such as module.')
    .option('--rename-prefix <from=to>', 'call a prefix of the keys something else; may be repeated', prefixRename)
    .option('--add-prefix <prefix>', 'put this before the keys of the state_dict')
    .option('--no-strict', 'allow missing and unexpected keys, as load_state_dict(strict=False) does')
