import { ARITHMETIC } from './arithmetic.ts'
import { ARRANGEMENT } from './arrangement.ts'
import { ATTENTION } from './attention.ts'
import { BLOCKS } from './blocks.ts'
import { CASTS } from './cast.ts'
import { COMPARISON } from './comparison.ts'
import { CONVOLUTION } from './convolution.ts'
import { CONVOLUTION_TRANSPOSE } from './convolution-transpose.ts'
import { FUNCTIONS } from './function.ts'
import { LOOKUP } from './lookup.ts'
import { MATRIX } from './matrix.ts'
import { NORMALIZATION } from './normalization.ts'
import type { Operator } from './operator.ts'
import { PARTS } from './parts.ts'
import { POOLING } from './pooling.ts'
import { RECURRENT } from './recurrent.ts'
import { REDUCTION } from './reduction.ts'
import { RESIZE } from './resize.ts'
import { SHAPE_SOURCE } from './shape-source.ts'
import { SOFTMAX } from './softmax.ts'

/** Every operator that is executed on TensorFlow.js, by name. */
export const OPERATORS: ReadonlyMap<string, Operator> = new Map(
  [
    ...ARITHMETIC,
    ...ARRANGEMENT,
    ...ATTENTION,
    ...BLOCKS,
    ...CASTS,
    ...COMPARISON,
    ...CONVOLUTION,
    ...CONVOLUTION_TRANSPOSE,
    ...FUNCTIONS,
    ...LOOKUP,
    ...MATRIX,
    ...NORMALIZATION,
    ...PARTS,
    ...POOLING,
    ...RECURRENT,
    ...REDUCTION,
    ...RESIZE,
    ...SHAPE_SOURCE,
    ...SOFTMAX,
  ].map((operator) => [operator.name, operator]),
)
