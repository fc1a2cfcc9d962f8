import type { DType } from '../../tensor/index.ts'
import type { AttributeValue, Constant } from '../graph.ts'
import type { Size } from '../size.ts'

/** One known element of a value: a number, a whole number that depends on the batch, or null for unknown. */
export type Element = Size | null

/** What is known of a value before anything is executed. */
export interface Value {
  readonly dtype: DType
  readonly shape: readonly Size[]
  /** Row-major; only for small values that are computed from shapes and constants. bool is 0 or 1. */
  readonly elements?: readonly Element[] | undefined
}

/** A node as its operator sees it while shapes are inferred. */
export interface NodeContext {
  readonly op: string
  /** Version of the default operator set. */
  readonly opset: number
  readonly outputCount: number
  /** Undefined is an omitted optional input. */
  readonly inputs: readonly (Value | undefined)[]
  /**
   * An input that has to be there.
   * @throws AppError ARCHITECTURE_INVALID when it is omitted.
   */
  input(index: number): Value
  /**
   * The elements of an input that decides on shapes, or undefined when it is omitted.
   * @throws AppError ARCHITECTURE_INVALID when they are not known before the graph runs.
   */
  known(index: number): readonly Size[] | undefined
  int(name: string): number | undefined
  ints(name: string): readonly number[] | undefined
  text(name: string): string | undefined
  tensor(name: string): Constant | undefined
  /** An error that names the node: what was found, what was expected. */
  fail(message: string): never
}

type Kind = AttributeValue['kind']

/** One operator of the ONNX operator set: what it takes and what shape it gives. */
export interface Operator {
  readonly name: string
  /** The first operator set that has it, where that is later than the oldest that is read. */
  readonly since?: number
  /** Fewest and most inputs. */
  readonly inputs: readonly [number, number]
  readonly outputs: readonly [number, number]
  /** Attributes by name; any other is refused, since it could change the result. */
  readonly attributes?: Readonly<Record<string, Kind>>
  infer(node: NodeContext): readonly Value[]
}

/** As many inputs or outputs as the file lists. */
export const ANY = Number.MAX_SAFE_INTEGER
