/** Turns big-endian elements into little-endian ones, in place. */
export function swapBytes(bytes: Uint8Array, elementSize: number): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  switch (elementSize) {
    case 1:
      return
    case 2:
      buffer.swap16()
      return
    case 4:
      buffer.swap32()
      return
    default:
      buffer.swap64()
  }
}
