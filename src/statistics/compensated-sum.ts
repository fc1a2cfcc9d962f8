/** A sum with what rounding took from it; the sum is `value + compensation`. After A. Neumaier, 1974. */
export interface CompensatedSum {
  readonly value: number
  readonly compensation: number
}

/** The sum of nothing. */
export const NO_SUM: CompensatedSum = { value: 0, compensation: 0 }

/** Adds a number: the error stays that of one addition, however many there are. */
export function addTo({ value, compensation }: CompensatedSum, term: number): CompensatedSum {
  const sum = value + term
  const lost = Math.abs(value) >= Math.abs(term) ? value - sum + term : term - sum + value
  return { value: sum, compensation: compensation + lost }
}

/** The sum of two sums. */
export function joinSums(a: CompensatedSum, b: CompensatedSum): CompensatedSum {
  const { value, compensation } = addTo(a, b.value)
  return { value, compensation: compensation + b.compensation }
}

/** A sum as a number. */
export const totalOf = ({ value, compensation }: CompensatedSum): number => value + compensation
