import { readFile } from 'node:fs/promises'
import { crc32 } from 'node:zlib'

/** Sends bytes to `PUT /uploads/NAME`; the upload's id. */
export async function upload(url: string, fileName: string, bytes: Uint8Array | string): Promise<string> {
  const response = await fetch(`${url}/uploads/${encodeURIComponent(fileName)}`, {
    method: 'PUT',
    body: bytes as BodyInit,
  })
  const answer = (await response.json()) as { readonly uploadId: string }
  if (response.status !== 201) throw new Error(JSON.stringify(answer))
  return answer.uploadId
}

/** The bytes of a file of test/fixtures. */
export const fixture = (name: string): Promise<Uint8Array> =>
  readFile(new URL(`../../fixtures/${name}`, import.meta.url))

/** Sends a file of test/fixtures. */
export const uploadFixture = async (url: string, name: string): Promise<string> =>
  upload(url, name, await fixture(name))

/** A zip file of stored entries, as torch.save writes them. Source: PKWARE APPNOTE 4.3. */
export function storedZip(entries: Readonly<Record<string, Uint8Array | string>>): Buffer {
  const locals: Buffer[] = []
  const centrals: Buffer[] = []
  let offset = 0
  for (const [path, content] of Object.entries(entries)) {
    const name = Buffer.from(path)
    const bytes = Buffer.from(content)
    const facts = Buffer.alloc(26)
    facts.writeUInt16LE(20, 0)
    facts.writeUInt32LE(crc32(bytes), 10)
    facts.writeUInt32LE(bytes.length, 14)
    facts.writeUInt32LE(bytes.length, 18)
    facts.writeUInt16LE(name.length, 22)
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), facts, name, bytes])
    const tail = Buffer.alloc(14)
    tail.writeUInt32LE(offset, 10)
    centrals.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), facts, tail, name]))
    locals.push(local)
    offset += local.length
  }
  const directory = Buffer.concat(centrals)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(centrals.length, 8)
  end.writeUInt16LE(centrals.length, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...locals, directory, end])
}
