import { quoted } from '../container/index.ts'
import { AppError } from '../error.ts'
import type { DatasetLimits } from './dataset-limits.ts'
import type { ElementType } from './npy-dtype.ts'
import { wholeElements } from './whole-elements.ts'

type TextType = Extract<ElementType, { kind: 'TEXT' }>

/** Strings of a fixed-width numpy text array, one after the other. Unused places are zeros. */
export async function* readTexts(
  where: string,
  pieces: AsyncIterable<Uint8Array>,
  element: TextType,
  limits: DatasetLimits,
): AsyncGenerator<string> {
  const characters = element.encoding === 'utf-32' ? element.size / 4 : element.size
  if (characters > limits.maxLabelLength)
    throw new AppError(
      'LIMIT_EXCEEDED',
      `${where} has room for ${characters} characters a string, the limit is ${limits.maxLabelLength}; labels are class names`,
    )
  const decode = element.encoding === 'utf-32' ? utf32 : utf8
  for await (const piece of wholeElements(pieces, element.size))
    for (let at = 0; at < piece.length; at += element.size) {
      const text = decode(piece.subarray(at, at + element.size), element.bigEndian)
      if (text === null) throw new AppError('DATASET_CORRUPT', `${where} has a string that is no Unicode text`)
      yield text
    }
}

function utf32(bytes: Uint8Array, bigEndian: boolean): string | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const points: number[] = []
  for (let at = 0; at < bytes.length; at += 4) points.push(view.getUint32(at, !bigEndian))
  while (points.at(-1) === 0) points.pop()
  return points.every((point) => point <= 0x10ffff && (point < 0xd800 || point > 0xdfff))
    ? String.fromCodePoint(...points)
    : null
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function utf8(bytes: Uint8Array): string | null {
  const end = bytes.findLastIndex((byte) => byte !== 0) + 1
  try {
    return strictUtf8.decode(bytes.subarray(0, end))
  } catch {
    return null
  }
}

/** The different strings among labels. */
export interface LabelNameSet {
  /** Takes one more; or returns why there are too many, or why it is too long. */
  add(text: string): AppError | null
  sorted(): string[]
}

/** No names yet. */
export function labelNameSet(where: string, limits: DatasetLimits): LabelNameSet {
  const names = new Set<string>()
  return {
    add(text) {
      if (names.has(text)) return null
      if (text.length > limits.maxLabelLength)
        return new AppError(
          'LIMIT_EXCEEDED',
          `${where}: the label ${quoted(text, 40)} has ${text.length} characters, the limit is ${limits.maxLabelLength}`,
        )
      if (names.size === limits.maxLabelNames)
        return new AppError(
          'LIMIT_EXCEEDED',
          `${where} has more than ${limits.maxLabelNames} different labels, such as ${quoted(text, 40)}; are these labels?`,
        )
      names.add(text)
      return null
    },
    sorted: () => [...names].sort(byCodePoint),
  }
}

/** The order of Python's sorted() and of numpy.unique. JavaScript's own differs above U+FFFF. */
export function byCodePoint(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const difference = a.charCodeAt(i) - b.charCodeAt(i)
    // Surrogates stand for code points above all others.
    if (difference !== 0) return isSurrogate(a, i) === isSurrogate(b, i) ? difference : isSurrogate(a, i) ? 1 : -1
  }
  return a.length - b.length
}

const isSurrogate = (text: string, at: number): boolean => (text.charCodeAt(at) & 0xf800) === 0xd800

/** Strings as int64 codes, in pieces of at most 1 MiB. */
export async function* labelCodes(texts: AsyncIterable<string>, names: readonly string[]): AsyncGenerator<Uint8Array> {
  const codes = new Map(names.map((name, code) => [name, code]))
  const capacity = 1 << 17
  let out = new BigInt64Array(capacity)
  let filled = 0
  for await (const text of texts) {
    out[filled++] = BigInt(codes.get(text)!)
    if (filled < capacity) continue
    yield new Uint8Array(out.buffer)
    out = new BigInt64Array(capacity)
    filled = 0
  }
  if (filled > 0) yield new Uint8Array(out.buffer, 0, filled * 8)
}

/** Strings as UTF-8 of so many bytes each, filled up with zeros, in pieces of at most 1 MiB. */
export async function* paddedTexts(texts: AsyncIterable<string>, width: number): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder()
  const capacity = Math.max(1, Math.floor((1 << 20) / width)) * width
  let out = new Uint8Array(capacity)
  let filled = 0
  for await (const text of texts) {
    out.set(encoder.encode(text), filled)
    filled += width
    if (filled < capacity) continue
    yield out
    out = new Uint8Array(capacity)
    filled = 0
  }
  if (filled > 0) yield out.subarray(0, filled)
}
