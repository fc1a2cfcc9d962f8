import type { Command } from 'commander'
import {
  CHECKPOINT_STORAGE,
  DATASET_STORAGE,
  MODEL_STORAGE,
  STORAGE_USAGE,
  type GetStorageUsage,
  type ListCheckpointStorage,
  type ListDatasetStorage,
  type ListModelStorage,
  type Stored,
} from './storage-documents.ts'
import { EXIT } from './failure.ts'
import { grid } from './grid.ts'
import { formatBytes, formatCount } from './number-format.ts'
import type { PlatformClient } from './platform-client.ts'
import { runCommand, type CommonOptions } from './run-command.ts'
import type { CliServices } from './services.ts'

interface StorageOptions extends CommonOptions {
  readonly model?: string
}

const HELP = `
Examples:
  $ nograd storage
  $ nograd storage --model mdl_01935c1e-7f0e-7cc2-b1a5-0f6a3a1d5a11
  $ nograd storage --json`

/** Adds `storage` to the program. */
export function addStorage(program: Command, services: CliServices, common: (command: Command) => Command): void {
  const command = program
    .command('storage')
    .description('Show how much is stored, how much of it is shared, and how much nothing refers to any more.')
    .option('--model <id>', 'the checkpoints of this model instead of all models and datasets')
  common(command)
    .addHelpText('after', HELP)
    .action((options: StorageOptions) =>
      runCommand(services, options, async ({ client, signal }) => {
        const write = (text: string): void => void services.stdout.write(`${text}\n`)
        if (options.model !== undefined) {
          const checkpoints = await ofModel(client, options.model, signal)
          write(options.json === true ? JSON.stringify({ checkpoints }) : table('checkpoint', checkpoints))
          return EXIT.ok
        }
        const { storageUsage: storage } = await client.query<GetStorageUsage>(STORAGE_USAGE, {}, signal)
        const models = await allModels(client, signal)
        const datasets = await allDatasets(client, signal)
        if (options.json === true) write(JSON.stringify({ storage, models, datasets }))
        else write([overview(storage), table('model', models), table('dataset', datasets)].join('\n\n'))
        return EXIT.ok
      }),
    )
}

const allModels = (client: PlatformClient, signal: AbortSignal): Promise<Stored[]> =>
  pages(async (after) => (await client.query<ListModelStorage>(MODEL_STORAGE, { after }, signal)).models)

const allDatasets = (client: PlatformClient, signal: AbortSignal): Promise<Stored[]> =>
  pages(async (after) => (await client.query<ListDatasetStorage>(DATASET_STORAGE, { after }, signal)).datasets)

const ofModel = (client: PlatformClient, modelId: string, signal: AbortSignal): Promise<Stored[]> =>
  pages(
    async (after) =>
      (await client.query<ListCheckpointStorage>(CHECKPOINT_STORAGE, { modelId, after }, signal)).checkpoints,
  )

async function pages(read: (after: string | null) => Promise<ListModelStorage['models']>): Promise<Stored[]> {
  const all: Stored[] = []
  for (let after: string | null = null; ;) {
    const { nodes, pageInfo } = await read(after)
    all.push(...nodes)
    if (!pageInfo.hasNextPage || pageInfo.endCursor === null) return all
    after = pageInfo.endCursor
  }
}

function overview(usage: GetStorageUsage['storageUsage']): string {
  const row = (name: string, bytes: number, what: string): readonly string[] => [name, formatBytes(bytes), what]
  return grid(
    ['storage', '', ''],
    [
      row('stored', usage.storedBytes, `in ${formatCount(usage.storages)} storages`),
      row('unique', usage.uniqueBytes, 'of it is used by one checkpoint or dataset'),
      row('shared', usage.sharedBytes, 'is used by several'),
      row(
        'reclaimable',
        usage.reclaimableBytes,
        `is used by nothing (${formatCount(usage.reclaimableStorages)} storages; nograd gc)`,
      ),
      row('logical', usage.logicalBytes, 'would be stored if nothing were shared'),
      ...(usage.damagedStorages === 0
        ? []
        : [['damaged', formatCount(usage.damagedStorages), 'storages (nograd verify --all)']]),
    ],
    'left',
  )
}

function table(what: string, rows: readonly Stored[]): string {
  if (rows.length === 0) return `There is no ${what}.`
  return grid(
    [what, 'id', 'storages', 'logical', 'unique', 'shared'],
    rows.map(({ id, name, version, storage }) => [
      version === undefined || version === 1 ? name : `${name} v${version}`,
      id,
      formatCount(storage.storages),
      formatBytes(storage.logicalBytes),
      formatBytes(storage.uniqueBytes),
      formatBytes(storage.sharedBytes),
    ]),
    'left',
  )
}
