import type { Graph } from '../graph.ts'
import { inferValues } from '../infer-shapes.ts'
import type { ArchitectureLimits } from '../limits.ts'
import { withoutAliases } from './aliases.ts'
import { inEvaluationMode } from './evaluation-mode.ts'
import { withExplicitPadding } from './explicit-padding.ts'
import { foldConstants } from './fold-constants.ts'
import { withoutSequences } from './sequences.ts'
import { withoutUnread } from './unread.ts'

export { REWRITTEN_OPERATORS } from './sequences.ts'

/**
 * A graph as an exporter wrote it, in evaluation mode and reduced to what depends on its inputs and parameters. Nodes are in order.
 * @throws AppError as `inferShapes`.
 */
export function simplify(graph: Graph, limits: ArchitectureLimits): Graph {
  const evaluating = withoutSequences(inEvaluationMode(graph))
  const values = inferValues(evaluating, undefined, limits)
  const padded = withExplicitPadding(evaluating, values)
  return withoutUnread(withoutAliases(foldConstants(padded, values), values))
}
