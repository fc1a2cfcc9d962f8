import type { ValueNode } from '../value-tree.ts'
import type { PickleObject, PickleValue } from './pickle-value.ts'

/** A number as JSON can hold it. */
export function toFloat(value: number): number | 'NaN' | 'Infinity' | '-Infinity' | '-0' {
  if (Number.isNaN(value)) return 'NaN'
  if (value === Infinity) return 'Infinity'
  if (value === -Infinity) return '-Infinity'
  return Object.is(value, -0) ? '-0' : value
}

/** The node of a value without identity. */
export function scalarNode(value: Exclude<PickleValue, PickleObject>): ValueNode {
  if (value === null) return { kind: 'none' }
  if (typeof value === 'boolean') return { kind: 'bool', value }
  if (typeof value === 'string') return { kind: 'string', value }
  return { kind: 'int', value: typeof value === 'bigint' ? value.toString() : value }
}
