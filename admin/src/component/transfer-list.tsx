import { Button, Group, Progress, Stack, Text } from '@mantine/core'
import { bytes } from './format.ts'
import type { Transfer } from './upload.ts'

const SAID = { sending: '', sent: 'sent', failed: 'failed', stopped: 'stopped' } as const

/** How far files are that are being sent. */
export function TransferList({
  transfers,
  onStop,
}: {
  readonly transfers: readonly Transfer[]
  readonly onStop: () => void
}) {
  if (transfers.length === 0) return null
  return (
    <Stack gap="xs">
      {transfers.map(({ name, sent, total, state, problem }) => (
        <div key={name}>
          <Group justify="space-between" gap="xs">
            <Text size="sm">{name}</Text>
            <Text size="xs" c="dimmed">
              {bytes(sent)} of {bytes(total)} {SAID[state]}
            </Text>
          </Group>
          <Progress.Root>
            <Progress.Section
              value={total === 0 ? 100 : (100 * sent) / total}
              color={state === 'failed' ? 'red' : undefined}
              aria-label={`${name}: ${total === 0 ? 100 : Math.floor((100 * sent) / total)} % sent`}
            />
          </Progress.Root>
          {problem !== null && (
            <Text size="sm" c="var(--mantine-color-error)">
              {problem}
            </Text>
          )}
        </div>
      ))}
      {transfers.some(({ state }) => state === 'sending') && (
        <Button size="xs" variant="default" onClick={onStop} style={{ alignSelf: 'flex-start' }}>
          Stop
        </Button>
      )}
    </Stack>
  )
}
