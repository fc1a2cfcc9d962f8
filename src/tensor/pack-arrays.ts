/** The bytes of arrays, one after the other, in memory of their own. */
export function packArrays(arrays: readonly ArrayBufferView[]): Uint8Array<ArrayBuffer> {
  const packed = new Uint8Array(arrays.reduce((sum, { byteLength }) => sum + byteLength, 0))
  let at = 0
  for (const { buffer, byteOffset, byteLength } of arrays) {
    packed.set(new Uint8Array(buffer, byteOffset, byteLength), at)
    at += byteLength
  }
  return packed
}
