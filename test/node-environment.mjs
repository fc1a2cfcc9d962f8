import { TestEnvironment } from 'jest-environment-node'

/**
 * Jest runs tests in a realm of their own, whose typed arrays are no instances of the outer ones. Native modules and
 * structured clones make and expect the outer realm's, so tests get those.
 */
const ARRAYS = {
  ArrayBuffer,
  SharedArrayBuffer,
  DataView,
  Float32Array,
  Float64Array,
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  BigInt64Array,
  BigUint64Array,
}

export default class NodeEnvironment extends TestEnvironment {
  constructor(config, context) {
    super(config, context)
    Object.assign(this.global, ARRAYS)
  }
}
