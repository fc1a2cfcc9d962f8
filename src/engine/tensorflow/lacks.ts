import { OPERATOR_NAMES } from '../../architecture/index.ts'
import { DTYPES } from '../../tensor/index.ts'
import type { EngineLacks } from '../engine.ts'
import { tfDType } from './element-type.ts'
import { OPERATORS } from './operators/table.ts'

/** What of the architecture TensorFlow.js cannot execute. */
export const LACKS: EngineLacks = {
  operators: OPERATOR_NAMES.filter((name) => !OPERATORS.has(name)),
  dtypes: DTYPES.filter((dtype) => tfDType(dtype) === null).sort(),
}
