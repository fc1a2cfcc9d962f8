import { AppError } from '../../error.ts'
import type { DownloadInput, MapLocationInput } from '../../usecase/index.ts'

/** Names of the query parameters of a download. */
export const DOWNLOAD_PARAMETERS = [
  'format',
  'content',
  'mapLocation',
  'mapLocationTag',
  'dtype',
  'stripPrefix',
  'renamePrefix',
  'addPrefix',
] as const
type Parameter = (typeof DOWNLOAD_PARAMETERS)[number]

/** Those that may be given several times. */
const REPEATED: ReadonlySet<string> = new Set<Parameter>(['mapLocationTag', 'renamePrefix'])

/**
 * What the query of a download asks for; values are checked by the use case.
 * @throws AppError BAD_INPUT when a parameter is unknown, given twice, or no `FROM=TO`.
 */
export function downloadInput(query: URLSearchParams): DownloadInput {
  for (const name of new Set(query.keys())) {
    if (!(DOWNLOAD_PARAMETERS as readonly string[]).includes(name))
      throw new AppError(
        'BAD_INPUT',
        `there is no parameter ${JSON.stringify(name)}; a download has ${DOWNLOAD_PARAMETERS.join(', ')}`,
      )
    if (!REPEATED.has(name) && query.getAll(name).length > 1)
      throw new AppError('BAD_INPUT', `the parameter ${name} is given twice`)
  }
  return {
    format: query.get('format') as DownloadInput['format'],
    content: query.get('content') as DownloadInput['content'],
    dtype: query.get('dtype') as DownloadInput['dtype'],
    mapLocation: mapLocationOf(query),
    keyMapping: {
      stripPrefix: query.get('stripPrefix'),
      renamePrefixes: pairsOf(query, 'renamePrefix').map(([from, to]) => ({ from, to })),
      addPrefix: query.get('addPrefix'),
    },
  }
}

function mapLocationOf(query: URLSearchParams): MapLocationInput | null {
  const device = query.get('mapLocation')
  const tags = pairsOf(query, 'mapLocationTag')
  if (device !== null && tags.length > 0)
    throw new AppError('BAD_INPUT', 'give mapLocation for all storages, or a mapLocationTag for each tag, not both')
  if (device !== null) return { device }
  if (tags.length === 0) return null
  const map = new Map<string, string>()
  for (const [from, to] of tags) {
    if (map.has(from)) throw new AppError('BAD_INPUT', `the location tag ${JSON.stringify(from)} is mapped twice`)
    map.set(from, to)
  }
  return { tags: Object.fromEntries(map) }
}

/** `FROM=TO`, cut at the first `=`. */
function pairsOf(query: URLSearchParams, name: Parameter): (readonly [string, string])[] {
  return query.getAll(name).map((value) => {
    const at = value.indexOf('=')
    if (at < 1) throw new AppError('BAD_INPUT', `${name} is ${JSON.stringify(value)}; FROM=TO is expected`)
    return [value.slice(0, at), value.slice(at + 1)]
  })
}

/** The path and query of a download, which `downloadInput` takes apart again. */
export function downloadPath(checkpointId: string, input: DownloadInput): string {
  const query = new URLSearchParams()
  const set = (name: Parameter, value: string | null | undefined): void => {
    if (value != null && value !== '') query.append(name, value)
  }
  set('format', input.format)
  set('content', input.content)
  set('mapLocation', input.mapLocation?.device)
  for (const [from, to] of Object.entries(input.mapLocation?.tags ?? {})) set('mapLocationTag', `${from}=${to}`)
  set('dtype', input.dtype)
  set('stripPrefix', input.keyMapping?.stripPrefix)
  for (const { from, to } of input.keyMapping?.renamePrefixes ?? []) set('renamePrefix', `${from}=${to}`)
  set('addPrefix', input.keyMapping?.addPrefix)
  const text = query.toString()
  return `/checkpoints/${checkpointId}/download${text === '' ? '' : `?${text}`}`
}
