import type { GraphNode, Parameter } from '../graph.ts'

/**
 * The parameters with `num_batches_tracked` of every batch normalisation that keeps running statistics. PyTorch's
 * state_dict has it, evaluation does not read it, and exporters leave it out.
 */
export function withBatchCounters(parameters: readonly Parameter[], nodes: readonly GraphNode[]): readonly Parameter[] {
  const names = new Set(parameters.map(({ name }) => name))
  const counters = new Map<string, string>()
  for (const { op, inputs } of nodes) {
    const mean = op === 'BatchNormalization' ? (inputs[3] ?? '') : ''
    const [variance, counter] = ['running_var', 'num_batches_tracked'].map((leaf) =>
      mean.replace(/running_mean$/, leaf),
    )
    // In a state_dict the counter follows running_var.
    if (/(^|\.)running_mean$/.test(mean) && names.has(mean) && !names.has(counter!))
      counters.set(names.has(variance!) ? variance! : mean, counter!)
  }
  return parameters.flatMap((parameter): readonly Parameter[] => {
    const key = counters.get(parameter.name)
    return key === undefined
      ? [parameter]
      : [parameter, { name: key, keys: [key], dtype: 'int64', shape: [], optional: true }]
  })
}
