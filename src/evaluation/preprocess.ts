import { AppError } from '../error.ts'
import type { Shape } from '../tensor/index.ts'

/**
 * What is done to the float32 values of a column before they go into a model: (value / divisor − mean) / std, each step rounded as PyTorch
 * does. With a divisor of 255 that is torchvision's ToTensor and Normalize; without one, scikit-learn's StandardScaler.
 */
export interface Preprocess {
  readonly divisor?: number | null | undefined
  /** One number, or one for each place of the first dimension of a sample: channels of an image, features of a row. */
  readonly mean?: readonly number[] | null | undefined
  readonly std?: readonly number[] | null | undefined
}

/** @throws AppError BAD_INPUT for numbers that are of no use, or not as many as the column has. */
export function checkPreprocess(column: string, shape: Shape, { divisor, mean, std }: Preprocess): void {
  const refuse = (what: string): never => {
    throw new AppError('BAD_INPUT', `preprocess of column ${column}: ${what}`)
  }
  if (divisor != null && !(Number.isFinite(divisor) && divisor !== 0)) refuse(`the divisor is ${divisor}`)
  for (const [name, values] of Object.entries({ mean, std })) {
    if (values == null) continue
    if (values.length !== 1 && values.length !== shape[0])
      refuse(
        `${name} has ${values.length} numbers; one is expected, or ${shape[0] ?? 1}: samples are [${shape.join(', ')}]`,
      )
    const bad = values.find((value) => !Number.isFinite(value) || (name === 'std' && value === 0))
    if (bad !== undefined) refuse(`${name} has ${bad}`)
  }
}

/** Does it to samples of a shape, in place. */
export function preprocessor({ divisor, mean, std }: Preprocess, shape: Shape): (values: Float32Array) => void {
  const places = shape[0] ?? 1
  const { fround } = Math
  const each = (values: readonly number[] | null | undefined, none: number): Float32Array =>
    Float32Array.from({ length: places }, (_, i) => (values == null ? none : values[values.length === 1 ? 0 : i]!))
  const [shift, scale, by] = [each(mean, 0), each(std, 1), fround(divisor ?? 1)]
  return (values) => {
    const size = shape.slice(1).reduce((product, length) => product * length, 1)
    for (let at = 0, place = 0; at < values.length; place = (place + 1) % places) {
      const [m, s] = [shift[place]!, scale[place]!]
      for (const end = at + size; at < end; at++) values[at] = fround(fround(values[at]! / by) - m) / s
    }
  }
}
