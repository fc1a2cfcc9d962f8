import type { RunFilter, RunOrder, RunStatus } from '../../generated/graphql.ts'

const STATUSES: readonly RunStatus[] = ['QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED']

/** What the address of the page says: which runs, in which order. */
export interface RunSearch {
  readonly filter: RunFilter
  readonly orderBy: RunOrder | null
}

/** Reads it; what it does not know, it passes over. */
export function readRunSearch(query: URLSearchParams): RunSearch {
  const status = (query.get('status') ?? '').split(',').filter((name) => STATUSES.includes(name as RunStatus))
  const order = query.get('order')
  return {
    filter: {
      ...(status.length === 0 ? {} : { status: status as RunStatus[] }),
      ...given(query, 'model', 'modelId'),
      ...given(query, 'dataset', 'datasetId'),
      ...given(query, 'checkpoint', 'checkpointId'),
      ...given(query, 'name', 'name'),
    },
    orderBy:
      order === null || order === ''
        ? null
        : { metric: order.replace(/^-/, ''), direction: order.startsWith('-') ? 'ASC' : 'DESC' },
  }
}

function given(query: URLSearchParams, parameter: string, field: string): Record<string, string> {
  const value = query.get(parameter)
  return value === null || value === '' ? {} : { [field]: value }
}

/** The order after another click on a column: the largest first, the smallest first, none. */
export function nextOrder(before: RunOrder | null, metric: string): string | null {
  if (before?.metric !== metric) return metric
  return before.direction === 'DESC' ? `-${metric}` : null
}
