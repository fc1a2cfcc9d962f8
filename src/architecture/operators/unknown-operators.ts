import { AppError } from '../../error.ts'
import { OPERATORS } from './table.ts'

const CONTROL_FLOW = new Set(['If', 'Loop', 'Scan', 'SequenceMap'])

/** A node by its operator, domain ('' is the default one) and name. */
export interface NamedOperator {
  readonly op: string
  readonly domain: string
  readonly node: string
}

/**
 * Refuses every operator that is not supported, all in one message: a user wants to know whether one or twenty are in the way.
 * @throws AppError ARCHITECTURE_UNSUPPORTED_OPERATOR
 */
export function refuseUnknownOperators(nodes: readonly NamedOperator[], isKnown: (op: string) => boolean): void {
  const unknown = new Map<string, NamedOperator>()
  for (const named of nodes) {
    const { op, domain } = named
    const label = domain === '' ? op : `${op} of domain ${domain}`
    if ((domain !== '' || !isKnown(op)) && !unknown.has(label)) unknown.set(label, named)
  }
  if (unknown.size === 0) return
  const list = [...unknown].map(([label, { node }]) => `${label} (node ${node})`)
  const shown = list.length > 5 ? [...list.slice(0, 5), `and ${list.length - 5} more`] : list
  const flows = [...unknown.values()].some(({ op }) => CONTROL_FLOW.has(op))
  throw new AppError(
    'ARCHITECTURE_UNSUPPORTED_OPERATOR',
    `the graph uses operators that are not supported: ${shown.join(', ')}.` +
      (flows
        ? ' Control flow is not executed: export the model for the branch or the number of steps that it takes.'
        : ''),
  )
}

/** Whether the operator table has it. */
export const isOperator = (op: string): boolean => OPERATORS.has(op)
