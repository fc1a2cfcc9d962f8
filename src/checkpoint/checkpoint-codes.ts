/** The codes with which the container readers speak about checkpoints. */
export const CHECKPOINT_CODES = { corrupt: 'CHECKPOINT_CORRUPT', unsupported: 'CHECKPOINT_UNSUPPORTED' } as const
