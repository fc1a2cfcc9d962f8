import type { ByteSource } from '../container/index.ts'

const BLOCK = 512
/** PyTorch's own tar files have four entries; names further behind say nothing. */
const MAX_ENTRIES = 16

/** The names of the first entries of a tar file: what can be read of them; it is only asked to say what the file is. */
export async function tarNames(source: ByteSource): Promise<readonly string[]> {
  const names: string[] = []
  for (let at = 0; at + BLOCK <= source.size && names.length < MAX_ENTRIES;) {
    const header = Buffer.from(await source.read(at, BLOCK))
    const name = header.toString('latin1', 0, 100).split('\0', 1)[0]!
    const size = Number.parseInt(header.toString('latin1', 124, 136), 8)
    if (name === '' || !Number.isSafeInteger(size) || size < 0) break
    names.push(name.replace(/^\.\//, ''))
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK
  }
  return names
}
