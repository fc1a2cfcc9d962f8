import { execFile } from 'node:child_process'
import { cpus, totalmem } from 'node:os'
import { promisify } from 'node:util'
import type { Device } from '../engine.ts'
import type { Library } from './library.ts'

/**
 * The one device that the library computes on. The binding of tfjs-node has no choice of devices: it takes the last graphics
 * card that CUDA shows it (CUDA_VISIBLE_DEVICES), and the processor where there is none.
 */
export async function devicesOf({ usesGpu }: Library): Promise<readonly Device[]> {
  if (!usesGpu) return [{ id: 'cpu', description: cpus()[0]?.model.trim() ?? process.arch, memoryBytes: totalmem() }]
  const cards = visibleCards(await graphicsCards(), process.env['CUDA_VISIBLE_DEVICES'])
  const card = cards.at(-1)
  return [
    {
      id: `cuda:${Math.max(0, cards.length - 1)}`,
      description: card?.name ?? 'NVIDIA graphics card',
      memoryBytes: card?.memoryBytes ?? null,
    },
  ]
}

/** A graphics card as the driver lists it. */
export interface Card {
  readonly index: string
  readonly uuid: string
  readonly name: string
  readonly memoryBytes: number
}

/** The cards that CUDA shows this process, in its order. Source: CUDA C++ Programming Guide, CUDA environment variables. */
export function visibleCards(cards: readonly Card[], visible: string | undefined): readonly Card[] {
  if (visible === undefined) return cards
  const found: Card[] = []
  for (const wanted of visible.split(',').map((text) => text.trim())) {
    const card = cards.find(({ index, uuid }) => index === wanted || (wanted !== '' && uuid.startsWith(wanted)))
    // What follows one that is not there is hidden too.
    if (card === undefined) break
    found.push(card)
  }
  return found
}

/** The lines of `nvidia-smi --query-gpu=index,uuid,name,memory.total --format=csv,noheader,nounits`. Memory is in MiB. */
export const cardsOf = (text: string): readonly Card[] =>
  text
    .split('\n')
    .map((line) => line.split(', '))
    .filter((fields) => fields.length === 4)
    .map(([index, uuid, name, mebibytes]) => ({
      index: index!,
      uuid: uuid!,
      name: name!,
      memoryBytes: Number(mebibytes) * 2 ** 20,
    }))

async function graphicsCards(): Promise<readonly Card[]> {
  try {
    const query = ['--query-gpu=index,uuid,name,memory.total', '--format=csv,noheader,nounits']
    const { stdout } = await promisify(execFile)('nvidia-smi', query, { timeout: 10_000 })
    return cardsOf(stdout)
  } catch {
    return []
  }
}
