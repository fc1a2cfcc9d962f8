import { expect, test } from '@jest/globals'
import { DEFAULT_CHECKPOINT_LIMITS } from '../../src/checkpoint/index.ts'
import { checkpointLimits } from '../../src/main/checkpoint-limits.ts'
import { CHECKPOINT_SETTINGS } from '../../src/main/checkpoint-settings.ts'
import { readSettings } from '../../src/main/settings.ts'

test('without settings the limits of checkpoint files are the defaults', () => {
  const { zip, ...rest } = DEFAULT_CHECKPOINT_LIMITS
  // One entry for each tensor, and a few more.
  expect(checkpointLimits(readSettings({}, {}))).toEqual({ zip: { ...zip, maxEntries: 501_024 }, ...rest })
})

test('each setting changes a limit', () => {
  const defaults = JSON.stringify(checkpointLimits(readSettings({}, {})))
  for (const { env } of Object.values(CHECKPOINT_SETTINGS)) {
    const changed = checkpointLimits(readSettings({}, { [env[0]!]: '1234' }))
    expect([env, JSON.stringify(changed) === defaults]).toEqual([env, false])
    expect(JSON.stringify(changed)).toContain('1234')
  }
})

test('a longer pickle may be read into memory', () => {
  const { pickle, zip } = checkpointLimits(readSettings({}, { NOGRAD_CHECKPOINT_MAX_PICKLE_BYTES: '256MiB' }))
  expect([pickle.maxBytes, zip.maxEntryBytes]).toEqual([2 ** 28, 2 ** 28])
})
