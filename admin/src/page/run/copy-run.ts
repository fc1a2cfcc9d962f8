import type { RunPageQuery } from '../../generated/graphql.ts'

type Run = NonNullable<RunPageQuery['run']>

/** The mutation that starts such a run again. */
export function asMutation(run: Run): string {
  const { configuration: c } = run
  const mapping = keyMapping(run)
  const input: Record<string, unknown> = {
    checkpointId: run.checkpoint.id,
    datasetId: run.dataset.id,
    ...(run.name === null ? {} : { name: run.name }),
    device: c.device,
    engine: new Name(c.engine),
    computeDtype: new Name(c.computeDtype),
    batchSize: c.batchSize,
    threshold: c.threshold,
    strict: c.strict,
    ...(mapping === null ? {} : { keyMapping: mapping }),
    ...(c.mapLocation === null ? {} : { mapLocation: { device: c.mapLocation } }),
    ...(c.mapLocationTags === null ? {} : { mapLocation: { tags: c.mapLocationTags.map(plain) } }),
    ...(c.slices.length === 0 ? {} : { slices: c.slices }),
    metrics: plain(c.metrics),
  }
  return `mutation {\n  startRun(input: ${literal(input, 1)}) {\n    run { id }\n    errors { code message }\n  }\n}`
}

/** The command that evaluates such files likewise. */
export function asCommand(run: Run): string {
  const { configuration: c, model } = run
  const m = c.metrics
  const options: readonly (readonly [string, string | number | null | false])[] = [
    ['--architecture', 'model.layers.json'],
    ['--checkpoint', run.checkpoint.fileName],
    ['--dataset', run.dataset.fileName],
    ['--task', model.task.toLowerCase()],
    ['--classes', model.classes.length === 0 ? null : JSON.stringify(model.classes)],
    ['--threshold', c.threshold],
    ['--batch-size', c.batchSize],
    ['--device', c.device],
    ['--engine', c.engine.toLowerCase()],
    ['--compute-dtype', c.computeDtype.toLowerCase()],
    ['--map-location', c.mapLocation ?? c.mapLocationTags?.map(({ from, to }) => `${from}=${to}`).join(',') ?? null],
    ['--strip-prefix', c.stripPrefix],
    ...c.renamePrefixes.map(({ from, to }) => ['--rename-prefix', `${from}=${to}`] as const),
    ['--add-prefix', c.addPrefix],
    ['--no-strict', c.strict ? false : ''],
    ...c.slices.map((slice) => ['--slice', slice] as const),
    ['--top-k', model.task === 'MULTICLASS' ? m.topK.join(',') : null],
    ['--beta', m.beta],
    ['--cost-ratio', m.costRatio],
    ['--ignore-index', m.ignoreIndex],
    ['--class-weights', m.classWeights?.join(',') ?? null],
    ['--thresholds', m.thresholds?.join(',') ?? null],
  ]
  const parts = options.flatMap(([option, value]) =>
    value === null || value === false ? [] : [value === '' ? option : `${option} ${quoted(String(value))}`],
  )
  return `npx nograd evaluate \\\n  ${parts.join(' \\\n  ')}`
}

function keyMapping({ configuration: c }: Run): Record<string, unknown> | null {
  const mapping = {
    ...(c.stripPrefix === null ? {} : { stripPrefix: c.stripPrefix }),
    ...(c.renamePrefixes.length === 0 ? {} : { renamePrefixes: c.renamePrefixes.map(plain) }),
    ...(c.addPrefix === null ? {} : { addPrefix: c.addPrefix }),
  }
  return Object.keys(mapping).length === 0 ? null : mapping
}

/** A value of an enum: GraphQL writes it without quotes. */
class Name {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** Without what the cache added, and without nulls. */
const plain = (value: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(value).filter(([name, each]) => name !== '__typename' && each !== null))

function literal(value: unknown, depth: number): string {
  if (value instanceof Name) return value.text
  if (Array.isArray(value)) return `[${value.map((each) => literal(each, depth)).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const pad = '  '.repeat(depth + 1)
  const fields = Object.entries(value).map(([name, each]) => `${pad}${name}: ${literal(each, depth + 1)}`)
  return `{\n${fields.join('\n')}\n${'  '.repeat(depth)}}`
}

/** For a POSIX shell. */
const quoted = (text: string): string => (/^[\w./:=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`)
