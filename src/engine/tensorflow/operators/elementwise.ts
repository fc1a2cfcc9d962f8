import { tfDType } from '../element-type.ts'
import type { Layout } from '../layout.ts'
import type { Tf, TfTensor } from '../library.ts'
import type { Compiled, Operator, Site } from './operator.ts'

/** A function of each element, which keeps the layout. */
export const unary = (name: string, prepare: (tf: Tf, site: Site) => (x: TfTensor) => TfTensor): Operator => ({
  name,
  compile(site) {
    const apply = prepare(site.tf, site)
    const layout = site.layout(0)
    return { operands: [site.take(0, layout)], layout, compute: (x) => apply(x) }
  },
})

/**
 * A function of the elements of several inputs, with broadcasting. When one of them has its channels at the end, the others are
 * brought there: weights once, before anything runs.
 */
export const elementwise = (
  name: string,
  prepare: (tf: Tf, site: Site) => (...inputs: readonly TfTensor[]) => TfTensor,
): Operator => ({ name, compile: (site) => together(site, prepare(site.tf, site)) })

/** See `elementwise`. */
export function together(site: Site, compute: (...inputs: readonly TfTensor[]) => TfTensor): Compiled {
  const inputs = Array.from({ length: site.inputCount }, (_, input) => input).filter((input) => site.has(input))
  const rank = site.outputShape().length
  const last = rank >= 3 && inputs.some((input) => site.shape(input).length === rank && site.layout(input) === 'last')
  const layout: Layout = last ? 'last' : 'first'
  return {
    operands: inputs.map((input) => (last ? site.take(input, layout, rank) : site.take(input))),
    layout,
    compute,
  }
}

/** Whether the first input holds whole numbers. */
export const isWhole = (site: Site): boolean => tfDType(site.dtype(0)) === 'int32'
