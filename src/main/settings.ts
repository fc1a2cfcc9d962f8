import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { AppError } from '../error.ts'
import { CHECKPOINT_SETTINGS } from './checkpoint-settings.ts'
import { byteCount, setting, wholeNumber, type Setting } from './setting.ts'

const DURATIONS: Readonly<Record<string, number>> = { min: 60_000, h: 3_600_000, d: 86_400_000 }
const duration: z.ZodType<number | null, string> = z
  .string()
  .regex(/^\d{1,5}(min|h|d)$/)
  .transform((text) => Number.parseInt(text, 10) * DURATIONS[text.replace(/^\d+/, '')]!)
  .refine((milliseconds) => milliseconds > 0)
  .describe('minutes, hours or days: 90min, 24h, 7d')

const yesOrNo: z.ZodType<boolean, string> = z
  .enum(['1', 'true', 'yes', '0', 'false', 'no'])
  .transform((text) => ['1', 'true', 'yes'].includes(text))
  .describe('1 or 0')

const postgresUrl: z.ZodType<string | null, string> = z
  .string()
  .regex(/^postgres(ql)?:\/\//)
  .describe('postgresql://USER:PASSWORD@HOST:PORT/DATABASE')

const text: z.ZodType<string, string> = z.string().describe('text')

const origins: z.ZodType<readonly string[], string> = z
  .string()
  .transform((list) => list.split(',').map((origin) => origin.trim()))
  .refine((list) => list.every((origin) => /^https?:\/\/[^/]+$/.test(origin)))
  .describe('origins separated by commas: https://admin.example.org')

/** The engines that there are, in the order in which they are preferred for the processor. */
const ENGINES = ['onnxruntime', 'tensorflow'] as const
const engineList: z.ZodType<readonly (typeof ENGINES)[number][], string> = z
  .string()
  .transform((list) => list.split(',').map((name) => name.trim()))
  .pipe(z.array(z.enum(ENGINES)).min(1))
  .refine((names) => new Set(names).size === names.length)
  .describe(`one or more of ${ENGINES.join(', ')}, separated by commas`)

/** Levels of the log, quietest first. */
export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const
/** A level of the log. */
export type LogLevel = (typeof LOG_LEVELS)[number]
const logLevel: z.ZodType<LogLevel | null, string> = z.enum(LOG_LEVELS).describe(LOG_LEVELS.join(', '))

/** Every setting that there is. docs/settings.md is made from this table; a test compares them. */
export const SETTINGS = {
  host: setting({
    env: ['NOGRAD_HOST'],
    flag: '--host <address>',
    description:
      'Address that the API listens on. There are no accounts: with another address than this machine’s own, everybody who reaches it can use it.',
    schema: text,
    fallback: '127.0.0.1',
  }),
  port: setting({
    env: ['NOGRAD_PORT', 'PORT'],
    flag: '--port <n>',
    description: 'Port of the API; 0 takes any free one.',
    schema: wholeNumber(0, 65_535),
    fallback: 4000,
  }),
  dataDir: setting({
    env: ['NOGRAD_DATA_DIR'],
    flag: '--data-dir <folder>',
    description: 'Folder of the embedded PostgreSQL, uploads, caches and logs.',
    defaultText: '`data` in the folder of nograd',
    schema: text,
    fallback: fileURLToPath(new URL('../../data', import.meta.url)),
  }),
  databaseUrl: setting({
    env: ['DATABASE_URL'],
    description: 'PostgreSQL to use, version 14 or newer, instead of the embedded one. `api` and `worker` need it.',
    defaultText: 'the embedded PostgreSQL',
    schema: postgresUrl,
    fallback: null,
  }),
  logLevel: setting({
    env: ['NOGRAD_LOG_LEVEL'],
    flag: '--log-level <level>',
    description: 'The least important lines that are logged.',
    defaultText: '`info`; `warn` on the terminal of `start`',
    schema: logLevel,
    fallback: null,
  }),
  sample: setting({
    env: ['NOGRAD_SAMPLE'],
    description:
      'Whether `start` imports and evaluates the sample when the database is empty; `--no-sample` is the same as 0.',
    schema: yesOrNo,
    fallback: true,
  }),
  engines: setting({
    env: ['NOGRAD_ENGINES'],
    flag: '--engines <names>',
    description:
      'Engines of a worker. A graphics card comes before the processor; where two engines drive the same device, the one that is named first does.',
    defaultText:
      '`onnxruntime,tensorflow`; without `npm run setup:tensorflow` the latter computes with WebAssembly, and is loaded when a run asks for it',
    schema: engineList,
    fallback: ENGINES,
  }),
  tensorflowFolder: setting({
    env: ['NOGRAD_TENSORFLOW'],
    description: 'Folder that `npm run setup:tensorflow` made.',
    defaultText: '`.tensorflow` in the folder of nograd',
    schema: text,
    fallback: fileURLToPath(new URL('../../.tensorflow', import.meta.url)),
  }),
  webgpuFolder: setting({
    env: ['NOGRAD_WEBGPU'],
    description: 'Folder that `npm run setup:webgpu` made.',
    defaultText: '`.webgpu` in the folder of nograd',
    schema: text,
    fallback: fileURLToPath(new URL('../../.webgpu', import.meta.url)),
  }),
  engineThreads: setting({
    env: ['NOGRAD_ENGINE_THREADS'],
    flag: '--engine-threads <n>',
    description: 'Threads that a worker computes with. More than there are processor cores make it slower.',
    defaultText: 'number of processor cores',
    schema: wholeNumber(1, 1024),
    fallback: availableParallelism(),
  }),
  maxUploadBytes: setting<number | null>({
    env: ['NOGRAD_MAX_UPLOAD_BYTES'],
    description: 'Size of the largest file that can be uploaded.',
    defaultText: '64GiB',
    schema: byteCount,
    fallback: null,
  }),
  spoolBytes: setting<number | null>({
    env: ['NOGRAD_SPOOL_BYTES'],
    description:
      'Size of all uploads of a server together that wait to be imported. One that is being received counts with the length that it announced.',
    defaultText: '256GiB',
    schema: byteCount,
    fallback: null,
  }),
  keptSamplesBytes: setting<number | null>({
    env: ['NOGRAD_KEPT_SAMPLES_BYTES'],
    description:
      'What a run keeps of its samples at most: logits, labels and losses, for lists of samples and comparisons of runs. A run on more samples keeps none, and one that is told to is refused.',
    defaultText: '256MiB',
    schema: byteCount,
    fallback: null,
  }),
  uploadLifetime: setting<number | null>({
    env: ['NOGRAD_UPLOAD_LIFETIME'],
    description:
      'Time that an upload waits to be imported, and that one which was cut waits to be resumed, before it is thrown away.',
    defaultText: '24h',
    schema: duration,
    fallback: null,
  }),
  cacheBytes: setting<number | null>({
    env: ['NOGRAD_CACHE_BYTES'],
    description: 'Size to which a worker’s cache of weights and data grows on disk; the least used go first.',
    defaultText: '20GiB',
    schema: byteCount,
    fallback: null,
  }),
  ...CHECKPOINT_SETTINGS,
  allowedOrigins: setting({
    env: ['NOGRAD_ALLOWED_ORIGINS'],
    description: 'Origins of web pages, besides the platform’s own, that may use the API.',
    defaultText: 'none',
    schema: origins,
    fallback: [],
  }),
  development: setting({
    env: ['NODE_ENV'],
    description: '`production` switches the GraphQL explorer off.',
    defaultText: '`development`',
    schema: z
      .string()
      .transform((name) => name !== 'production')
      .describe('production, or anything else'),
    fallback: true,
  }),
}

/** The values of all settings. */
export type Settings = {
  readonly [Name in keyof typeof SETTINGS]: (typeof SETTINGS)[Name] extends Setting<infer Value> ? Value : never
}

/** Values that were given as options, by the names of the settings. */
export type Flags = Readonly<Partial<Record<keyof typeof SETTINGS, string | boolean>>>

/**
 * Reads all settings.
 * @throws AppError BAD_INPUT that names the option or variable, what it holds and what it may hold.
 */
export function readSettings(flags: Flags, env: Readonly<NodeJS.ProcessEnv>): Settings {
  const values = Object.entries(SETTINGS).map(([name, definition]) => [name, readOne(name, definition, flags, env)])
  const settings = Object.fromEntries(values) as Settings
  return { ...settings, dataDir: resolve(settings.dataDir) }
}

function readOne(name: string, definition: Setting<unknown>, flags: Flags, env: Readonly<NodeJS.ProcessEnv>): unknown {
  const flag = flags[name as keyof Flags]
  if (typeof flag === 'boolean') return flag
  if (flag !== undefined) return parse(definition, flag, definition.flag?.split(' ')[0] ?? name)
  const variable = definition.env.find((candidate) => (env[candidate] ?? '') !== '')
  return variable === undefined ? definition.fallback : parse(definition, env[variable] ?? '', variable)
}

function parse(definition: Setting<unknown>, given: string, source: string): unknown {
  const result = definition.schema.safeParse(given)
  if (result.success) return result.data
  // A mistyped address of a database may hold its password.
  const found = source === 'DATABASE_URL' ? 'something else' : JSON.stringify(given)
  throw new AppError(
    'BAD_INPUT',
    `${source} is ${found}; expected: ${definition.schema.description ?? 'another value'}`,
  )
}
