import { dimensionOf, isBatchOnly, type Size } from '../size.ts'
import { FIXED_BATCH } from './broadcast.ts'
import type { NodeContext } from './operator.ts'

/**
 * Refuses an operator that would combine samples: its results would change with the size of the batch, and nothing that is
 * measured with it could be reproduced.
 */
export function keepSamplesApart(node: NodeContext, sizes: readonly Size[]): void {
  for (const size of sizes)
    if (isBatchOnly(size))
      node.fail(
        `combines the samples of a batch (an axis of size ${dimensionOf(size)}); samples have to be independent. ${FIXED_BATCH}`,
      )
}
