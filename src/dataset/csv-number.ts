/** Texts that stand for a value that is missing or not finite, in lower case. */
const NOT_FINITE = new Set([
  '',
  'nan',
  'na',
  'n/a',
  '#n/a',
  'null',
  'none',
  'inf',
  '+inf',
  '-inf',
  'infinity',
  '+infinity',
  '-infinity',
])

/**
 * The number that a field holds: decimal, with or without a fraction and an exponent, spaces around it allowed. NaN for
 * one that is missing or not finite, null for text.
 */
export function csvNumber(text: string): number | null {
  const value = Number(text)
  if (Number.isFinite(value) && isDecimal(text)) return value
  const trimmed = text.trim()
  if (NOT_FINITE.has(trimmed.toLowerCase())) return NaN
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(trimmed)) return null
  return Number.isFinite(value) ? value : NaN
}

/** Whether what Number() took is a decimal number: not '', not spaces, not '0x1f', '0o7' or '0b1'. */
function isDecimal(text: string): boolean {
  const first = text.charCodeAt(0)
  const second = text.charCodeAt(1) | 0x20
  // '+' to '9' holds the sign, the point and the digits.
  return first >= 0x2b && first <= 0x39 && second !== 0x78 && second !== 0x6f && second !== 0x62
}
