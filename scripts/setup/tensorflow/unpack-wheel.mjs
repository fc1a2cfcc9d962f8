import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createInflateRaw } from 'node:zlib'
import { SetupError } from '../run-command.mjs'

const END_OF_DIRECTORY = 0x06054b50
const DIRECTORY_ENTRY = 0x02014b50
const STORED = 0

/**
 * Writes the chosen files of a wheel, which is a zip file. Source: PKWARE APPNOTE 4.3; without zip64, which wheels below
 * 4 GiB do not have.
 * @param {string} wheel
 * @param {(name: string) => string | null} place the path that a file is written to, or null
 * @returns {Promise<number>} how many files were written
 */
export async function unpackWheel(wheel, place) {
  const file = await open(wheel)
  try {
    let written = 0
    for (const entry of await directory(file, wheel)) {
      const path = entry.name.endsWith('/') ? null : place(entry.name)
      if (path === null) continue
      await mkdir(dirname(path), { recursive: true })
      await extract(file, entry, path)
      written++
    }
    return written
  } finally {
    await file.close()
  }
}

async function directory(file, wheel) {
  const { size } = await file.stat()
  const tail = await read(file, Math.max(0, size - 65_557), Math.min(size, 65_557))
  let end = tail.length - 22
  while (end >= 0 && tail.readUInt32LE(end) !== END_OF_DIRECTORY) end--
  if (end < 0) throw new SetupError(`${wheel} is no wheel: it has no zip directory, perhaps because it is cut short`)
  const bytes = await read(file, tail.readUInt32LE(end + 16), tail.readUInt32LE(end + 12))
  const entries = []
  for (let at = 0; at + 46 <= bytes.length && bytes.readUInt32LE(at) === DIRECTORY_ENTRY;) {
    const nameLength = bytes.readUInt16LE(at + 28)
    entries.push({
      name: bytes.toString('utf8', at + 46, at + 46 + nameLength),
      method: bytes.readUInt16LE(at + 10),
      length: bytes.readUInt32LE(at + 20),
      offset: bytes.readUInt32LE(at + 42),
    })
    at += 46 + nameLength + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32)
  }
  return entries
}

async function extract(file, { method, length, offset }, path) {
  const header = await read(file, offset, 30)
  const start = offset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28)
  const bytes =
    length === 0
      ? Readable.from([])
      : createReadStream('', { fd: file.fd, start, end: start + length - 1, autoClose: false, highWaterMark: 1 << 20 })
  const out = createWriteStream(path)
  await (method === STORED ? pipeline(bytes, out) : pipeline(bytes, createInflateRaw(), out))
}

async function read(file, position, length) {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position)
  return buffer.subarray(0, bytesRead)
}

/**
 * Where a file of a TensorFlow wheel belongs in the folder that the binding is compiled in; null for what is not needed.
 * @param {string} folder
 */
export const placeInDeps = (folder) => (name) => {
  const header = /^tensorflow\/include\/((?:tensorflow|tsl|xla)\/.*\.h)$/.exec(name)
  if (header) return safe(folder, 'include', header[1])
  const library = /^tensorflow\/(libtensorflow_(?:cc|framework)\.[\w.]*(?:so|dylib)[\w.]*)$/.exec(name)
  return library ? safe(folder, 'lib', library[1]) : null
}

function safe(folder, kind, name) {
  if (name.split('/').includes('..')) throw new SetupError(`the wheel has a file named ${name}, which leads out of it`)
  return join(folder, 'deps', kind, name)
}
