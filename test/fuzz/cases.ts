import { buildZip, type EntrySpec } from '../container/build-zip.ts'
import { mutateBytes, NUMBERS, truncate } from './mutate-bytes.ts'
import { mutatePickle } from './mutate-pickle.ts'
import { lyingSafetensors } from './mutate-safetensors.ts'
import { lyingZip } from './mutate-zip.ts'
import type { Random } from './random.ts'
import type { Subjects } from './subjects.ts'

/** A file to read; with `shards` it is the index of a sharded checkpoint. */
export interface FuzzCase {
  readonly file: Buffer
  readonly shards?: Readonly<Record<string, Buffer>>
}

/** Makes a case of one family. */
export type Family = (subjects: Subjects, random: Random) => FuzzCase

const whole = ({ zip, legacy, safetensors }: Subjects, random: Random): Buffer => {
  const { bytes } = random.pick(random.pick([zip.slice(0, -1), legacy, safetensors]))
  return bytes
}

const withPickle = (entries: readonly EntrySpec[], random: Random): Buffer =>
  buildZip(
    entries.map((entry) =>
      entry.name.endsWith('/data.pkl') ? { ...entry, data: mutatePickle(Buffer.from(entry.data), random) } : entry,
    ),
  )

/** Every family of mutations by its name. */
export const FAMILIES: Readonly<Record<string, Family>> = {
  'bytes of any file': (subjects, random) => ({ file: mutateBytes(whole(subjects, random), random) }),
  'any file, truncated': (subjects, random) => ({ file: truncate(whole(subjects, random), random) }),
  'torch zip: opcodes of the pickle': ({ zip }, random) => ({ file: withPickle(random.pick(zip).entries, random) }),
  'torch zip: bytes of the pickle': ({ zip }, random) => {
    const entries = random
      .pick(zip)
      .entries.map((entry) =>
        entry.name.endsWith('/data.pkl') ? { ...entry, data: mutateBytes(Buffer.from(entry.data), random) } : entry,
      )
    return { file: buildZip(entries) }
  },
  'torch zip: lies of the directory': ({ zip }, random) => ({ file: lyingZip(random.pick(zip).entries, random) }),
  'torch legacy: opcodes of the pickles': ({ legacy }, random) => {
    const { pickles, rest } = random.pick(legacy)
    const at = random.pick([0, 1, 2, 3, 3, 3, 4])
    return {
      file: Buffer.concat([...pickles.map((pickle, i) => (i === at ? mutatePickle(pickle, random) : pickle)), rest]),
    }
  },
  'torch legacy: lies of the storages': ({ legacy }, random) => {
    const { pickles, rest } = random.pick(legacy)
    const lying = Buffer.from(rest)
    if (lying.length >= 8)
      lying.writeUInt32LE(random.pick(NUMBERS), random.pick([0, 4, random.below(lying.length - 4)]))
    const cut = random.chance(0.3) ? random.below(lying.length) : lying.length
    return { file: Buffer.concat([...pickles, lying.subarray(0, cut), Buffer.alloc(random.pick([0, 0, 9]))]) }
  },
  'safetensors: lies of the header': ({ safetensors }, random) => ({
    file: lyingSafetensors(random.pick(safetensors).bytes, random),
  }),
  'sharded: index and shards': shardedCase,
}

function shardedCase({ zip, safetensors }: Subjects, random: Random): FuzzCase {
  const subject = random.pick([
    ...zip.filter(({ name }) => name === 'cancer_mlp.pth'),
    ...safetensors.filter(({ name }) => name === 'digits_cnn.safetensors'),
  ])
  const second = random.pick(safetensors).bytes
  const shards: Record<string, Buffer> = { '1': subject.bytes, '2': second }
  const keys = keysOf(subject.name)
  const index: Record<string, unknown> = Object.fromEntries(keys.map((key) => [key, '1']))
  if (random.chance(0.5)) Reflect.deleteProperty(shards, '2')
  switch (random.below(5)) {
    case 0:
      shards['1'] = mutateBytes(subject.bytes, random)
      break
    case 1:
      index[random.pick([...keys, 'extra', '__proto__'])] = random.pick(['1', '2', '../1', '', null, 5, {}])
      break
    case 2:
      Reflect.deleteProperty(index, random.pick(keys))
      break
    case 3:
      shards[random.pick(['3', '1 ', '../1'])] = second
      break
    default:
      break
  }
  const text = Buffer.from(JSON.stringify({ metadata: {}, weight_map: index }))
  return { file: random.chance(0.3) ? mutateBytes(text, random) : text, shards }
}

/** Keys of the two files that serve as shards, as their makers named them. */
function keysOf(name: string): readonly string[] {
  const norm = (prefix: string): string[] =>
    ['weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked'].map((key) => `${prefix}.${key}`)
  return name === 'cancer_mlp.pth'
    ? ['body.0.weight', 'body.0.bias', ...norm('body.1'), 'head.weight', 'head.bias']
    : [
        '0.weight',
        '0.bias',
        ...norm('1'),
        '3.weight',
        '3.bias',
        ...norm('4'),
        '9.weight',
        '9.bias',
        '12.weight',
        '12.bias',
      ]
}
