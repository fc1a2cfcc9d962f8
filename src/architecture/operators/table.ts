import { ARITHMETIC } from './arithmetic.ts'
import { ARRANGEMENT } from './arrangement.ts'
import { CASTS } from './cast.ts'
import { COMPARISON } from './comparison.ts'
import { CONVOLUTION } from './convolution.ts'
import { FUNCTIONS } from './function.ts'
import { JOINING } from './joining.ts'
import { MATRIX } from './matrix.ts'
import { NORMALIZATION } from './normalization.ts'
import type { Operator } from './operator.ts'
import { POOLING } from './pooling.ts'
import { REDUCTION } from './reduction.ts'
import { RESIZE } from './resize.ts'
import { SELECTION } from './selection.ts'
import { SEQUENCE_MODEL } from './sequence-model.ts'
import { SHAPE_SOURCE } from './shape-source.ts'

/** Every operator of a graph, by name. What is not here is refused when an architecture is made. */
export const OPERATORS: ReadonlyMap<string, Operator> = new Map(
  [
    ...ARITHMETIC,
    ...ARRANGEMENT,
    ...CASTS,
    ...COMPARISON,
    ...CONVOLUTION,
    ...FUNCTIONS,
    ...JOINING,
    ...MATRIX,
    ...NORMALIZATION,
    ...POOLING,
    ...REDUCTION,
    ...RESIZE,
    ...SELECTION,
    ...SEQUENCE_MODEL,
    ...SHAPE_SOURCE,
  ].map((operator) => [operator.name, operator]),
)

/** The names of all operators, sorted: what an engine has to execute. */
export const OPERATOR_NAMES: readonly string[] = [...OPERATORS.keys()].sort()
