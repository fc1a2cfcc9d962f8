import type { Shape } from '../tensor/index.ts'
import type { ElementType } from './npy-dtype.ts'
import { showName } from './show-name.ts'

/** An array as a file holds it. */
export interface StoredArray {
  readonly name: string
  readonly element: ElementType
  /** Samples first. */
  readonly shape: Shape
  readonly fortranOrder: boolean
  /** Bytes of the data. */
  readonly byteLength: number
  /** The data from first to last byte, in pieces of any size. */
  pieces(): AsyncIterable<Uint8Array>
  /** Bytes of the data by range; null where they are compressed. */
  readonly read: ((offset: number, length: number) => Promise<Uint8Array>) | null
}

/** An array for people: `x float32 [450, 1, 8, 8]`. */
export function describeArray({ name, element, shape }: StoredArray): string {
  return `${showName(name)} ${element.kind === 'TEXT' ? 'text' : element.dtype} [${shape.join(', ')}]`
}
