import { InputError } from './input-error.ts'

/** What an id begins with, by the kind of object that it names. */
export const ID_PREFIXES = {
  Model: 'mdl',
  Architecture: 'arc',
  Checkpoint: 'ckp',
  Dataset: 'dat',
  Run: 'run',
  Worker: 'wrk',
  Upload: 'upl',
} as const

/** A kind of object that has ids. */
export type ObjectKind = keyof typeof ID_PREFIXES

const KIND_BY_PREFIX = new Map<string, ObjectKind>(
  (Object.keys(ID_PREFIXES) as ObjectKind[]).map((kind) => [ID_PREFIXES[kind], kind]),
)

/** The id that clients see: `mdl_` and the row's UUID. */
export const encodeId = (kind: ObjectKind, uuid: string): string => `${ID_PREFIXES[kind]}_${uuid}`

/**
 * Kind and UUID of an id.
 * @throws AppError NOT_FOUND when it is no id at all: nothing can have it.
 */
export function decodeAnyId(
  id: string,
  path?: readonly string[],
): { readonly kind: ObjectKind; readonly uuid: string } {
  const match = /^([a-z]{3})_([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.exec(id)
  const kind = match === null ? undefined : KIND_BY_PREFIX.get(match[1]!)
  if (match === null || kind === undefined)
    throw new InputError(
      'NOT_FOUND',
      `${quote(id)} is no id; ids look like run_01890a5d-ac96-774b-bcce-b302099a8057, with one of the prefixes ` +
        [...KIND_BY_PREFIX.keys()].join(', '),
      path,
    )
  return { kind, uuid: match[2]! }
}

/**
 * The UUID of an id of one kind.
 * @param path the input field that holds the id, for the error.
 * @throws AppError NOT_FOUND when it is no id, or one of another kind.
 */
export function decodeId(kind: ObjectKind, id: string, path?: readonly string[]): string {
  const found = decodeAnyId(id, path)
  if (found.kind !== kind)
    throw new InputError(
      'NOT_FOUND',
      `${quote(id)} is the id of a ${found.kind.toLowerCase()}; the id of a ${kind.toLowerCase()} begins with ${ID_PREFIXES[kind]}_`,
      path,
    )
  return found.uuid
}

/** At most 60 characters of what a client sent. */
const quote = (text: string) => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
