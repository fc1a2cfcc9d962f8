/** What a·b rounded loses: a·b = rounded + remainder, exactly, unless something overflows or underflows (Dekker, 1971). */
export function productRemainder(a: number, b: number, rounded: number): number {
  const [ah, bh] = [upperHalf(a), upperHalf(b)]
  const [al, bl] = [a - ah, b - bh]
  return al * bl - (rounded - ah * bh - al * bh - ah * bl)
}

function upperHalf(x: number): number {
  const scaled = 134217729 * x
  return scaled - (scaled - x)
}
