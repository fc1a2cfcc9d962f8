import { quoted } from '../container/index.ts'

/** A name out of a file for a message: as it is when it is a plain word, else quoted and escaped. */
export const showName = (name: string): string => (/^[\w.-]{1,100}$/.test(name) ? name : quoted(name))

/** Names for a message: the first fifty. */
export const listed = (names: readonly string[]): string =>
  names.length <= 50 ? names.join(', ') : `${names.slice(0, 50).join(', ')} and ${names.length - 50} more`
