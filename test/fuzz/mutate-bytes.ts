import type { Random } from './random.ts'

/** Numbers that lengths are checked against. */
export const NUMBERS = [0, 1, 2, 0x7f, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff]

/** One to four changes of bytes: set, flipped, left out, put in, copied, a number overwritten. */
export function mutateBytes(bytes: Buffer, random: Random): Buffer {
  let out: Buffer = Buffer.from(bytes)
  for (let changes = 1 + random.below(4); changes > 0 && out.length >= 8; changes--) out = mutateOnce(out, random)
  return out
}

function mutateOnce(out: Buffer, random: Random): Buffer {
  // Heads and tails hold the structure of a file, and most of its bytes are weights.
  const near = Math.min(out.length, 512)
  const at = random.pick([random.below(out.length), random.below(near), out.length - 1 - random.below(near)])
  const size = 1 + random.below(8)
  switch (random.below(6)) {
    case 0:
      out[at] = random.below(256)
      return out
    case 1:
      out[at]! ^= 1 << random.below(8)
      return out
    case 2:
      return Buffer.concat([out.subarray(0, at), out.subarray(at + size)])
    case 3:
      return Buffer.concat([out.subarray(0, at), Buffer.alloc(size, random.below(256)), out.subarray(at)])
    case 4:
      out.copyWithin(at, random.below(out.length), out.length)
      return out
    default:
      out.writeUInt32LE(random.pick(NUMBERS), Math.min(at, out.length - 4))
      return out
  }
}

/** The file up to any of its bytes. */
export const truncate = (bytes: Buffer, random: Random): Buffer => bytes.subarray(0, random.below(bytes.length))
