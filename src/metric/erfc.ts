/**
 * The complementary error function of x from 0, within 1e-12 relative: its series where it converges fast, else Lentz's continued fraction
 * (Abramowitz and Stegun 7.1.6 and 7.1.14).
 */
export function erfc(x: number): number {
  return x < 2.5 ? 1 - series(x) : Math.exp(-x * x) / (Math.sqrt(Math.PI) * fraction(x))
}

/** erf(x) = 2/√π · e^(−x²) · Σ 2ⁿ x^(2n+1) / (2n+1)!! */
function series(x: number): number {
  let term = x
  let sum = x
  for (let n = 1; term > sum * 1e-17 && n < 200; n++) sum += term *= (2 * x * x) / (2 * n + 1)
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum
}

/** x + (1/2)/(x + 1/(x + (3/2)/(x + …))), from the inside out. */
function fraction(x: number): number {
  let value = x
  for (let n = 200; n >= 1; n--) value = x + n / 2 / value
  return value
}
