import type { EntrySpec, ZipSpec } from '../container/build-zip.ts'
import { buildZip } from '../container/build-zip.ts'
import type { Random } from './random.ts'

const SIZES = [0, 1, 23, 2 ** 16, 2 ** 26 + 1, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1]
const NAMES = [
  '',
  '/',
  '..',
  'archive/data.pkl',
  'archive/DATA.PKL',
  'archive/data/0',
  'archive/data/../data.pkl',
  'x/y/z',
  '\0',
]
const FLAGS = [0, 1, 8, 0x20, 0x40, 0x800, 0x808, 0x2000, 0xffff]

/** A zip whose directory, local headers and end records say what is not so. */
export function lyingZip(entries: readonly EntrySpec[], random: Random): Buffer {
  const lying = [...entries]
  for (let lies = 1 + random.below(2); lies > 0; lies--) {
    const at = random.below(lying.length)
    if (random.chance(0.15)) lying.splice(random.below(lying.length), 0, lying[at]!)
    else if (random.chance(0.1)) lying.splice(at, 1)
    else lying[at] = lie(lying[at]!, random)
    if (lying.length === 0) break
  }
  const zip = buildZip(lying, random.chance(0.3) ? lyingEnd(random) : {})
  return random.chance(0.1) ? Buffer.concat([zip.subarray(random.below(64)), zip]) : zip
}

function lie(entry: EntrySpec, random: Random): EntrySpec {
  const size = random.chance(0.5) ? entry.data.length + random.below(9) - 4 : random.pick(SIZES)
  const lies: readonly Partial<EntrySpec>[] = [
    { size: Math.max(0, size) },
    { compressedSize: Math.max(0, size) },
    { size: Math.max(0, size), compressedSize: Math.max(0, size) },
    { localSize: Math.max(0, size), descriptor: false },
    { crc: random.below(2 ** 31) },
    { flags: random.pick(FLAGS) },
    { localFlags: random.pick(FLAGS) },
    { method: random.pick([0, 1, 8, 9, 12, 99, 0xffff]) },
    { localMethod: random.pick([0, 8, 99]) },
    { deflate: true },
    { deflate: true, descriptor: false },
    { deflate: true, data: Buffer.alloc(random.pick([100, 1 << 16, 1 << 20])) },
    { zip64: true, descriptor: false },
    { padding: random.pick([1, 63, 60_000]) },
    { name: random.pick(NAMES) },
    { localName: random.pick(NAMES) },
    { headerOffset: random.pick([0, 30, 64, 2 ** 31, 2 ** 32 - 1]) },
    { payload: Buffer.alloc(random.below(64), random.below(256)) },
  ]
  return { ...entry, ...random.pick(lies) }
}

function lyingEnd(random: Random): ZipSpec {
  return random.pick<ZipSpec>([
    { declaredEntries: random.pick([0, 1, 0xffff]) },
    { zip64End: true },
    { zip64End: true, declaredEntries: random.pick([0, 1, 2 ** 40]) },
    { comment: 'c'.repeat(random.below(0xffff)) },
    { trailing: Buffer.alloc(random.below(70_000), random.below(256)) },
    { shift: random.below(100) },
  ])
}
