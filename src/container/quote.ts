/**
 * A name out of a file as a message may show it: quoted, control characters escaped, at most `limit` characters.
 * A hostile name must not be able to fake a line of a log or to move a terminal's cursor.
 */
export function quoted(name: string, limit = 100): string {
  return JSON.stringify(name.length > limit ? `${name.slice(0, limit)}…` : name).replace(UNPRINTABLE, escape)
}

/** C1 controls, and formatting characters such as the ones that reverse the direction of text. */
const UNPRINTABLE = /[\u007f-\u009f\p{Cf}]/gu

const escape = (character: string): string => `\\u${character.codePointAt(0)!.toString(16).padStart(4, '0')}`
