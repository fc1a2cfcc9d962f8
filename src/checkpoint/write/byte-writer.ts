/** Bytes that grow at their end. */
export interface ByteWriter {
  readonly length: number
  uint8(value: number): void
  uint16(value: number): void
  uint32(value: number): void
  uint64(value: number): void
  int32(value: number): void
  /** Big-endian, as pickle has it; everything else here is little-endian. */
  float64BigEndian(value: number): void
  bytes(value: Uint8Array): void
  /** What was written; the writer is of no more use. */
  finish(): Uint8Array
}

/** An empty writer. It doubles its memory as it fills. */
export function byteWriter(): ByteWriter {
  let bytes = new Uint8Array(4096)
  let view = new DataView(bytes.buffer)
  let at = 0
  const take = (count: number): number => {
    if (at + count > bytes.length) {
      const larger = new Uint8Array(Math.max(bytes.length * 2, at + count))
      larger.set(bytes.subarray(0, at))
      bytes = larger
      view = new DataView(bytes.buffer)
    }
    const start = at
    at += count
    return start
  }
  return {
    get length() {
      return at
    },
    uint8: (value) => setAt(1, (start) => view.setUint8(start, value)),
    uint16: (value) => setAt(2, (start) => view.setUint16(start, value, true)),
    uint32: (value) => setAt(4, (start) => view.setUint32(start, value, true)),
    uint64: (value) => setAt(8, (start) => view.setBigUint64(start, BigInt(value), true)),
    int32: (value) => setAt(4, (start) => view.setInt32(start, value, true)),
    float64BigEndian: (value) => setAt(8, (start) => view.setFloat64(start, value)),
    bytes: (value) => setAt(value.length, (start) => bytes.set(value, start)),
    finish: () => bytes.subarray(0, at),
  }

  /** The view may be replaced by `take`: it is looked up after it. */
  function setAt(count: number, set: (start: number) => void): void {
    const start = take(count)
    set(start)
  }
}
