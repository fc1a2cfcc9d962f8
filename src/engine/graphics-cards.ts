import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** A graphics card as NVIDIA's driver lists it. */
export interface Card {
  readonly index: string
  readonly uuid: string
  readonly name: string
  readonly memoryBytes: number
}

/** The cards that NVIDIA's driver has and CUDA shows this process, in its order; none where there is no driver. */
export async function graphicsCards(visible = process.env['CUDA_VISIBLE_DEVICES']): Promise<readonly Card[]> {
  try {
    const query = ['--query-gpu=index,uuid,name,memory.total', '--format=csv,noheader,nounits']
    const { stdout } = await promisify(execFile)('nvidia-smi', query, { timeout: 10_000 })
    return visibleCards(cardsOf(stdout), visible)
  } catch {
    return []
  }
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
