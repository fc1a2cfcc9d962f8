import { tfDType } from '../element-type.ts'
import type { Operator } from './operator.ts'

const shape: Operator = {
  name: 'Shape',
  fromShapes: true,
  compile(site) {
    const sizes = site.shape(0).slice(site.int('start') ?? 0, site.int('end') ?? Infinity)
    return { operands: [], compute: () => site.tf.tensor1d([...sizes], 'int32') }
  },
}

const size: Operator = {
  name: 'Size',
  fromShapes: true,
  compile(site) {
    const count = site.shape(0).reduce((product, length) => product * length, 1)
    return { operands: [], compute: () => site.tf.scalar(count, 'int32') }
  },
}

const constantOfShape: Operator = {
  name: 'ConstantOfShape',
  fromShapes: true,
  compile(site) {
    const value = site.node.attributes['value']
    const bytes = value?.kind === 'tensor' ? value.value : null
    const dtype = tfDType(site.outputDType())!
    const number = bytes === null ? 0 : firstNumber(bytes.dtype, bytes.bytes)
    if (number === null) return site.refuse(`its value is ${bytes?.dtype ?? 'unknown'}`)
    return {
      operands: [],
      compute: () => site.tf.fill([...site.outputShape()], number, dtype === 'bool' ? 'bool' : dtype),
    }
  },
}

function firstNumber(dtype: string, bytes: Uint8Array): number | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  switch (dtype) {
    case 'float32':
      return view.getFloat32(0, true)
    case 'int64':
      return Number(view.getBigInt64(0, true))
    case 'int32':
      return view.getInt32(0, true)
    case 'bool':
    case 'uint8':
      return view.getUint8(0)
    default:
      return null
  }
}

const range: Operator = {
  name: 'Range',
  fromShapes: true,
  compile(site) {
    const [start, , step] = [0, 1, 2].map((input) => site.known(input)![0]!) as [number, number, number]
    const dtype = tfDType(site.outputDType())!
    const numbers = Array.from({ length: site.outputShape()[0]! }, (_, i) => start + i * step)
    return { operands: [], compute: () => site.tf.tensor1d(numbers, dtype) }
  },
}

/** Operators that turn shapes into values. */
export const SHAPE_SOURCE: readonly Operator[] = [shape, size, constantOfShape, range]
