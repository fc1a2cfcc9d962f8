import type { ProgressStream } from './progress-display.ts'

/** How text is set off where there is a terminal; elsewhere it stays as it is. */
export interface Style {
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
  readonly red: (text: string) => string
  readonly yellow: (text: string) => string
}

/** Colours on a terminal, unless NO_COLOR is set (https://no-color.org) or the terminal has none. */
export function styleOf(stream: ProgressStream, environment: NodeJS.ProcessEnv): Style {
  const off = stream.isTTY !== true || (environment['NO_COLOR'] ?? '') !== '' || environment['TERM'] === 'dumb'
  const code =
    (open: number, close: number) =>
    (text: string): string =>
      off ? text : `\u001b[${open}m${text}\u001b[${close}m`
  return { bold: code(1, 22), dim: code(2, 22), red: code(31, 39), yellow: code(33, 39) }
}

/** Columns of a terminal; null where lines may be of any length. */
export function widthOf(stream: ProgressStream): number | null {
  const { columns } = stream as { readonly columns?: number }
  return stream.isTTY === true && columns !== undefined && columns > 20 ? columns : null
}

/** What a file says may hold anything: no control character of it reaches the terminal. */
export const printable = (text: string): string =>
  text.replace(
    /[\p{Cc}\p{Cf}\u2028\u2029]/gu,
    (character) => `\\u${character.codePointAt(0)!.toString(16).padStart(4, '0')}`,
  )

/** A text of at most so many characters, shortened in its middle. */
export function shortened(text: string, most: number): string {
  if (text.length <= most) return text
  const tail = Math.floor((most - 1) / 2)
  return `${text.slice(0, most - 1 - tail)}…${text.slice(text.length - tail)}`
}
