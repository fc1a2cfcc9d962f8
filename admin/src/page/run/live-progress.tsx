import { Group, Progress, Stack, Text } from '@mantine/core'
import { count, duration, shown } from '../../component/format.ts'
import { Section } from '../../component/state.tsx'
import type { RunPageQuery } from '../../generated/graphql.ts'

/** How far a run is, how fast, and when it will end. */
export function LiveProgress({ run }: { readonly run: NonNullable<RunPageQuery['run']> }) {
  const { progress } = run
  const percent = run.total === 0 ? 0 : (100 * run.samples) / run.total
  const facts: readonly (readonly [string, string])[] = [
    ['Samples', `${count(run.samples)} of ${count(run.total)}`],
    ['Samples/s', progress === null ? '—' : count(Math.round(progress.samplesPerSecond))],
    ['Ends in', progress?.etaSeconds == null ? '—' : duration(1000 * progress.etaSeconds)],
    ['F1', shown(progress?.f1)],
    ['Precision', shown(progress?.precision)],
    ['Recall', shown(progress?.recall)],
    ['Accuracy', shown(progress?.accuracy)],
    ['Loss', shown(progress?.loss)],
    ['Device', run.device ?? '—'],
    ['Engine', run.engine ?? '—'],
  ]
  return (
    <Section title="Progress">
      <Progress.Root size="lg">
        <Progress.Section value={percent} aria-label={`${Math.floor(percent)} % of the samples`} />
      </Progress.Root>
      <Group gap="lg">
        {facts.map(([name, value]) => (
          <Stack key={name} gap={0}>
            <Text size="xs" c="dimmed">
              {name}
            </Text>
            <Text size="sm" fw={600} style={{ fontVariantNumeric: 'tabular-nums' }}>
              {value}
            </Text>
          </Stack>
        ))}
      </Group>
      {run.status === 'QUEUED' && <Text size="sm">It waits for a worker.</Text>}
    </Section>
  )
}
