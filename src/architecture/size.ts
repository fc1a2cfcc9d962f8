import { AppError } from '../error.ts'
import type { Dimension } from './graph.ts'

/** Sizes of real models have one or two terms; a file could make them grow without end. */
const MAX_TERMS = 64
const MAX_FACTORS = 32
const MAX_NAME_LENGTH = 500

/** A product of named sizes, times a whole number. `factors` are sorted; none is a plain number. */
interface Term {
  readonly coefficient: number
  readonly factors: readonly string[]
}

/** A size that depends on sizes not known yet, as a sum of products: 2*N + 1. Terms are sorted, none is zero. */
export interface SymbolicSize {
  readonly terms: readonly Term[]
}

/** A size, or any whole number computed from sizes. `Infinity` stands for the largest int64, as slices use it. */
export type Size = number | SymbolicSize

/** The name of the batch's size. */
export const BATCH = 'N'

/** The size of that name. */
export const symbol = (name: string): SymbolicSize => ({ terms: [{ coefficient: 1, factors: [name] }] })

/** A dimension of the graph as a size. */
export const sizeOf = (dimension: Dimension): Size => (typeof dimension === 'number' ? dimension : symbol(dimension))

/** A size as a dimension of the graph: a number, or text such as `N` or `2*N + 1`. */
export function dimensionOf(size: Size): Dimension {
  if (typeof size === 'number') return size
  return size.terms
    .map(({ coefficient, factors }, index) => {
      const magnitude = Math.abs(coefficient)
      const parts = magnitude === 1 && factors.length > 0 ? factors : [magnitude, ...factors]
      const sign = coefficient < 0 ? '-' : '+'
      return index === 0 ? (coefficient < 0 ? '-' : '') + parts.join('*') : ` ${sign} ${parts.join('*')}`
    })
    .join('')
}

/** A shape as messages show it: `[N, 512]`. */
export const shapeText = (shape: readonly Size[]): string => `[${shape.map(dimensionOf).join(', ')}]`

/** Whether two sizes are the same for every batch. */
export const sameSize = (a: Size, b: Size): boolean => a === b || dimensionOf(a) === dimensionOf(b)

/** Whether a size is a multiple of nothing but the batch and numbers. */
export const isBatchOnly = (size: Size): boolean =>
  typeof size !== 'number' && size.terms.every(({ factors }) => factors.every((name) => name === BATCH))

/** Whether a size is at least zero whatever its names stand for: each name is at least 1. */
export const isNonNegative = (size: Size): boolean =>
  typeof size === 'number' ? size >= 0 : size.terms.every(({ coefficient }) => coefficient > 0)

export function add(a: Size, b: Size): Size {
  if (typeof a === 'number' && typeof b === 'number') return a + b
  return normal([...termsOf(a), ...termsOf(b)])
}

export function multiply(a: Size, b: Size): Size {
  // Adding 0 makes 0 of -0.
  if (typeof a === 'number' && typeof b === 'number') return a * b + 0
  return normal(
    termsOf(a).flatMap((left) =>
      termsOf(b).map((right) => ({
        coefficient: left.coefficient * right.coefficient,
        factors: [...left.factors, ...right.factors].sort(),
      })),
    ),
  )
}

export const subtract = (a: Size, b: Size): Size => add(a, multiply(b, -1))

export const product = (sizes: readonly Size[]): Size => sizes.reduce(multiply, 1)

/** `a / b` where that is a whole number for every batch, else null. */
export function divideExactly(a: Size, b: Size): Size | null {
  if (b === 0) return null
  if (sameSize(a, b)) return 1
  if (typeof a === 'number' && typeof b === 'number') return a % b === 0 ? a / b + 0 : null
  const divisors = termsOf(b)
  if (divisors.length !== 1) return null
  const quotients = termsOf(a).map((term) => divideTerm(term, divisors[0]!))
  return quotients.every((term) => term !== null) ? normal(quotients) : null
}

/** `floor(a / b)` for a positive number b; what cannot be divided becomes a size with the division as its name. */
export function divideDown(a: Size, b: number): Size {
  if (typeof a === 'number') return Math.floor(a / b) + 0
  const whole = a.terms.filter(({ coefficient }) => coefficient % b === 0)
  const rest = normal(a.terms.filter(({ coefficient }) => coefficient % b !== 0))
  const quotient = normal(whole.map((term) => ({ ...term, coefficient: term.coefficient / b })))
  if (typeof rest === 'number') return add(quotient, Math.floor(rest / b))
  const name = `floor((${dimensionOf(rest)})/${b})`
  if (name.length > MAX_NAME_LENGTH) throw tooComplex(name)
  return add(quotient, symbol(name))
}

function divideTerm(term: Term, divisor: Term): Term | null {
  if (term.coefficient % divisor.coefficient !== 0) return null
  const factors = [...term.factors]
  for (const factor of divisor.factors) {
    const index = factors.indexOf(factor)
    if (index < 0) return null
    factors.splice(index, 1)
  }
  return { coefficient: term.coefficient / divisor.coefficient, factors }
}

const termsOf = (size: Size): readonly Term[] =>
  typeof size === 'number' ? [{ coefficient: size, factors: [] }] : size.terms

function normal(terms: readonly Term[]): Size {
  const sums = new Map<string, Term>()
  for (const { coefficient, factors } of terms) {
    const key = factors.join('*')
    sums.set(key, { coefficient: (sums.get(key)?.coefficient ?? 0) + coefficient, factors })
  }
  const kept = [...sums.values()].filter(({ coefficient }) => coefficient !== 0)
  if (kept.length > MAX_TERMS || kept.some(({ factors }) => factors.length > MAX_FACTORS))
    throw tooComplex(kept[0]!.factors.join('*'))
  if (kept.length === 0) return 0
  if (kept.length === 1 && kept[0]!.factors.length === 0) return kept[0]!.coefficient
  // The constant comes last, as people write it.
  const order = ({ factors }: Term): string => (factors.length === 0 ? '\uffff' : factors.join('*'))
  return { terms: kept.sort((a, b) => (order(a) < order(b) ? -1 : 1)) }
}

const tooComplex = (text: string): AppError =>
  new AppError('LIMIT_EXCEEDED', `a size of the graph is too complex to follow: ${text.slice(0, 60)}…`)
