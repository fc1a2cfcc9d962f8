/** Keys of advisory locks, told apart from other programs' by their upper half ("nogr"). */
const SPACE = 0x6e6f6772n << 32n

/** Shared by all processes that use an embedded server (in its database `postgres`). */
export const EMBEDDED_USERS_LOCK = String(SPACE | 1n)
/** Held while a database is migrated. */
export const MIGRATION_LOCK = String(SPACE | 2n)
/** Shared by sweeps, exclusive for an import that puts again what one took. */
export const SWEEP_LOCK = String(SPACE | 3n)
