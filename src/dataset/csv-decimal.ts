/** Powers of ten that a float64 holds exactly. */
const POWERS = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`))
/** Digits that a float64 holds exactly, whatever they are. */
const HEAD_DIGITS = 15
/** Digits after those that are kept apart. */
const TAIL_DIGITS = 7
/** Splits a float64 into halves of 26 bits. */
const SPLIT = 2 ** 27 + 1

const [MINUS, PLUS, POINT, ZERO, NINE, LOWER_E] = [0x2d, 0x2b, 0x2e, 0x30, 0x39, 0x65]

/**
 * The decimal number that bytes spell, the float64 nearest to it, as `Number` of the same text; NaN where they spell something else, have
 * more than 22 digits or an exponent beyond 22, or lie too near the middle between two float64: then somebody else has to look.
 *
 * Up to 15 digits divided or multiplied by a power of ten that is exact are rounded once (W. D. Clinger, How to read floating point numbers
 * accurately, 1990). More digits are computed with twice the precision, of T. J. Dekker, A floating-point technique for extending the
 * available precision, 1971, and are right unless the error could carry over the middle.
 */
export function decimalAt(bytes: Uint8Array, from: number, to: number): number {
  let at = from
  const sign = bytes[at]
  if (sign === MINUS || sign === PLUS) at++
  let head = 0
  let tail = 0
  let digits = 0
  let exponent = 0
  let any = false
  let fraction = false
  for (; at < to; at++) {
    const digit = bytes[at]! - ZERO
    if (digit >= 0 && digit <= 9) {
      any = true
      if (fraction) exponent--
      if (digits === 0 && digit === 0) continue
      if (++digits <= HEAD_DIGITS) head = head * 10 + digit
      else if (digits <= HEAD_DIGITS + TAIL_DIGITS) tail = tail * 10 + digit
      else return NaN
    } else if (bytes[at] === POINT && !fraction) fraction = true
    else break
  }
  if (!any) return NaN
  if (at < to) {
    if ((bytes[at]! | 0x20) !== LOWER_E) return NaN
    const given = exponentAt(bytes, at + 1, to)
    if (Number.isNaN(given)) return NaN
    exponent += given
  }
  if (exponent < -22 || exponent > 22) return NaN
  const value =
    digits <= HEAD_DIGITS
      ? exponent < 0
        ? head / POWERS[-exponent]!
        : head * POWERS[exponent]!
      : longValue(head, tail, digits - HEAD_DIGITS, exponent)
  return sign === MINUS ? -value : value
}

/** Digits to the end, with or without a sign; NaN for anything else. */
function exponentAt(bytes: Uint8Array, from: number, to: number): number {
  let at = from
  const sign = bytes[at]
  if (at < to && (sign === MINUS || sign === PLUS)) at++
  if (at === to || to - at > 4) return NaN
  let value = 0
  for (; at < to; at++) {
    const byte = bytes[at]!
    if (byte < ZERO || byte > NINE) return NaN
    value = value * 10 + byte - ZERO
  }
  return sign === MINUS ? -value : value
}

/** (head · 10^tailDigits + tail) · 10^exponent, rounded once; NaN where twice the precision does not tell how. */
function longValue(head: number, tail: number, tailDigits: number, exponent: number): number {
  const shift = POWERS[tailDigits]!
  const product = head * shift
  const whole = product + tail
  // What the sum lost, and what the product lost.
  const back = whole - product
  const lost = product - (whole - back) + (tail - back) + productError(head, shift, product)
  const power = POWERS[Math.abs(exponent)]!
  let high: number
  let low: number
  if (exponent < 0) {
    high = whole / power
    const again = high * power
    low = (whole - again - productError(high, power, again) + lost) / power
  } else {
    high = whole * power
    low = productError(whole, power, high) + lost * power
  }
  const value = high + low
  const rest = high - value + low
  const error = value * 2 ** -90
  return value + (rest + error) === value && value + (rest - error) === value ? value : NaN
}

/** a · b − product, exactly, where product is a · b rounded. */
function productError(a: number, b: number, product: number): number {
  const a1 = SPLIT * a - (SPLIT * a - a)
  const a2 = a - a1
  const b1 = SPLIT * b - (SPLIT * b - b)
  const b2 = b - b1
  return a1 * b1 - product + a1 * b2 + a2 * b1 + a2 * b2
}
