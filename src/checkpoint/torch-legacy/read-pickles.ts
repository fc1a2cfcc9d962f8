import type { ByteSource } from '../../container/index.ts'
import { AppError } from '../../error.ts'
import { opcodeEnd } from '../pickle/opcode-end.ts'
import { OPCODE } from '../pickle/opcodes.ts'

const FIRST_READ = 64 << 10

/**
 * The bytes of the first `count` pickles of a file, one behind the other. A pickle does not say how long it is, so its opcodes
 * are stepped over up to STOP; the storages that follow, which may be many GiB, are not read. Where the bytes are no pickle
 * any more, what was read so far is returned, and reading it finds the fault.
 * @throws AppError LIMIT_EXCEEDED when they take more than `maxBytes`.
 */
export async function readPickles(source: ByteSource, count: number, maxBytes: number): Promise<Uint8Array> {
  const most = Math.min(source.size, maxBytes)
  let bytes = await source.read(0, Math.min(FIRST_READ, most))
  let at = 0
  for (let pickles = 0; pickles < count;) {
    const end = at < bytes.length ? opcodeEnd(bytes, at) : Infinity
    if (end === undefined) return bytes
    if (end > bytes.length) {
      if (bytes.length === source.size) return bytes
      if (bytes.length === most)
        throw new AppError(
          'LIMIT_EXCEEDED',
          `${source.name}: its pickles have more than ${maxBytes} bytes, which is the limit`,
        )
      bytes = await grown(source, bytes, Math.min(most, bytes.length * 2))
      continue
    }
    if (bytes[at] === OPCODE.STOP) pickles++
    at = end
  }
  return bytes.subarray(0, at)
}

async function grown(source: ByteSource, bytes: Uint8Array, length: number): Promise<Uint8Array> {
  const longer = new Uint8Array(length)
  longer.set(bytes)
  longer.set(await source.read(bytes.length, length - bytes.length), bytes.length)
  return longer
}
