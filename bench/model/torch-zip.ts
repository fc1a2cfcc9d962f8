import { open } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import {
  dict,
  FALSE,
  global,
  int,
  ORDERED_DICT,
  call,
  pickle,
  storage,
  tuple,
} from '../../test/checkpoint/build-pickle.ts'

/** A float32 tensor of a torch file whose bytes are made piece by piece. */
export interface TorchEntry {
  readonly name: string
  readonly elements: number
  readonly pieces: () => Iterable<Uint8Array>
}

/** Writes what torch.save writes (stored entries aligned to 64 bytes, CRCs behind the data), without holding it in memory. */
export async function writeTorchZip(path: string, entries: readonly TorchEntry[]): Promise<void> {
  const tensors = entries.map(({ name, elements }, index) => {
    const from = storage('FloatStorage', String(index), elements)
    const view = [from, int(0), tuple(int(elements)), tuple(int(1)), FALSE, ORDERED_DICT]
    return [name, call(global('torch._utils', '_rebuild_tensor_v2'), ...view)] as const
  })
  const file = await open(path, 'w')
  const directory: Buffer[] = []
  let at = 0
  const write = async (bytes: Uint8Array): Promise<void> => {
    await file.writeFile(bytes)
    at += bytes.length
  }
  const entry = async (name: string, pieces: Iterable<Uint8Array>): Promise<void> => {
    const offset = at
    const header = localHeader(name, offset)
    await write(header)
    const start = at
    let crc = 0
    for (const piece of pieces) {
      crc = crc32(piece, crc)
      await write(piece)
    }
    const size = at - start
    await write(fields([0x08074b50, crc, size, size]))
    directory.push(directoryEntry(name, offset, crc, size))
  }
  try {
    await entry('archive/data.pkl', [pickle(dict(Object.fromEntries(tensors)))])
    await entry('archive/byteorder', [Buffer.from('little')])
    for (const [index, { pieces }] of entries.entries()) await entry(`archive/data/${index}`, pieces())
    await entry('archive/version', [Buffer.from('3\n')])
    const start = at
    for (const item of directory) await write(item)
    const end = Buffer.alloc(22)
    end.writeUInt32LE(0x06054b50, 0)
    end.writeUInt16LE(directory.length, 8)
    end.writeUInt16LE(directory.length, 10)
    end.writeUInt32LE(at - start, 12)
    end.writeUInt32LE(start, 16)
    await write(end)
  } finally {
    await file.close()
  }
}

const fields = (values: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 4)
  values.forEach((value, i) => bytes.writeUInt32LE(value, i * 4))
  return bytes
}

function localHeader(name: string, offset: number): Buffer {
  const bare = 30 + name.length + 4
  const padding = (64 - ((offset + bare) % 64)) % 64
  const header = Buffer.alloc(bare + padding, 'Z')
  header.fill(0, 0, 30)
  header.writeUInt32LE(0x04034b50, 0)
  header.writeUInt16LE(0x808, 6)
  header.writeUInt16LE(name.length, 26)
  header.writeUInt16LE(4 + padding, 28)
  header.write(name, 30)
  header.write('FB', 30 + name.length)
  header.writeUInt16LE(padding, 32 + name.length)
  return header
}

function directoryEntry(name: string, offset: number, crc: number, size: number): Buffer {
  const entry = Buffer.alloc(46 + name.length)
  entry.writeUInt32LE(0x02014b50, 0)
  entry.writeUInt16LE(0x808, 8)
  entry.writeUInt32LE(crc, 16)
  entry.writeUInt32LE(size, 20)
  entry.writeUInt32LE(size, 24)
  entry.writeUInt16LE(name.length, 28)
  entry.writeUInt32LE(offset, 42)
  entry.write(name, 46)
  return entry
}
