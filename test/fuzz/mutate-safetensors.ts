import type { Random } from './random.ts'

const VALUES: readonly unknown[] = [
  null,
  true,
  -1,
  0,
  1.5,
  2 ** 53,
  1e300,
  '',
  'F32',
  [],
  [0],
  [-1, 4],
  {},
  { a: 1 },
  '\ud800',
  '\u0000',
]
const DTYPES = ['BOOL', 'U8', 'F4', 'F6_E2M3', 'F8_E4M3', 'BF16', 'F64', 'C64', 'I128', '']

/** A safetensors file whose header says what is not so. */
export function lyingSafetensors(file: Buffer, random: Random): Buffer {
  const length = Number(file.readBigUInt64LE(0))
  const header = JSON.parse(file.toString('utf8', 8, 8 + length)) as Record<string, Record<string, unknown>>
  const names = Object.keys(header)
  for (let lies = 1 + random.below(2); lies > 0; lies--) {
    const name = random.pick(names)
    const tensor = header[name]
    // An earlier lie may have put something else here.
    if (typeof tensor !== 'object' || (tensor as unknown) === null) continue
    switch (random.below(7)) {
      case 0:
        tensor['dtype'] = random.pick(DTYPES)
        break
      case 1:
        tensor['shape'] = [random.pick([0, 1, 2, 2 ** 40, -1]), ...sizesOf(tensor['shape'])]
        break
      case 2:
        tensor['data_offsets'] = [random.below(file.length), random.below(file.length * 2)]
        break
      case 3:
        tensor[random.pick(['dtype', 'shape', 'data_offsets', 'x'])] = random.pick(VALUES)
        break
      case 4:
        header[random.pick(['', '__metadata__', '__proto__', 'x'.repeat(5000), name])] = random.pick(VALUES) as never
        break
      case 5:
        Reflect.deleteProperty(header, name)
        break
      default:
        header[`${name}2`] = tensor
    }
  }
  let text = Buffer.from(JSON.stringify(header))
  if (random.chance(0.1)) text = Buffer.from(text.toString().replace('{', `{${JSON.stringify(names[0])}:{},`))
  const prefix = Buffer.alloc(8)
  const lied = random.chance(0.15)
  prefix.writeBigUInt64LE(
    lied ? random.pick([0n, 1n, BigInt(text.length - 1), 2n ** 31n, 2n ** 63n]) : BigInt(text.length),
  )
  return Buffer.concat([prefix, text, file.subarray(8 + length)])
}

const sizesOf = (shape: unknown): readonly unknown[] => (Array.isArray(shape) ? (shape as unknown[]) : [])
