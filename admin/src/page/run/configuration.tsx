import { Code, Group, Stack, Table } from '@mantine/core'
import type { ReactNode } from 'react'
import { Copy } from '../../component/text.tsx'
import { Section } from '../../component/state.tsx'
import type { RunPageQuery } from '../../generated/graphql.ts'
import { asCommand, asMutation } from './copy-run.ts'

/** Exactly what a run was asked for, and where it ran; as something to paste. */
export function Configuration({ run }: { readonly run: NonNullable<RunPageQuery['run']> }) {
  const { configuration: c } = run
  const m = c.metrics
  const facts: readonly (readonly [string, ReactNode])[] = [
    ['Device', `${run.device ?? '—'} (asked for: ${c.device})`],
    ['Engine', `${run.engine ?? '—'} ${run.engineVersion ?? ''} (asked for: ${c.engine.toLowerCase()})`],
    ['Why', run.engineReason ?? '—'],
    ['Computed in', c.computeDtype.toLowerCase()],
    ['Batch size', `${run.usedBatchSize ?? c.batchSize} (asked for: ${c.batchSize})`],
    ['Threshold', String(c.threshold)],
    ['Keys', c.strict ? 'strict' : 'not strict'],
    ['Prefix taken off', c.stripPrefix ?? 'none'],
    ['Prefixes replaced', c.renamePrefixes.map(({ from, to }) => `${from} → ${to}`).join(', ') || 'none'],
    ['Prefix added', c.addPrefix ?? 'none'],
    [
      'Locations',
      c.mapLocation ?? (c.mapLocationTags?.map(({ from, to }) => `${from} → ${to}`).join(', ') || 'as saved'),
    ],
    ['Slices', c.slices.join(', ') || 'none'],
    ['Top k', m.topK.join(', ')],
    ['Beta', String(m.beta)],
    ['A missed positive costs', String(m.costRatio)],
    ['Label that is not counted', m.ignoreIndex === null ? 'none' : String(m.ignoreIndex)],
    ['Class weights', m.classWeights?.join(', ') ?? 'none'],
    ['Thresholds', m.thresholds?.join(', ') ?? 'one for all'],
    ['Calibration bins', String(m.calibrationBins)],
    ['Samples', String(run.total)],
    ['Id', run.id],
  ]
  return (
    <Stack>
      <Section title="Configuration and environment">
        <Table layout="fixed" verticalSpacing={4}>
          <Table.Tbody>
            {facts.map(([name, value]) => (
              <Table.Tr key={name}>
                <Table.Th w="40%" scope="row">
                  {name}
                </Table.Th>
                <Table.Td style={{ overflowWrap: 'anywhere' }}>{value}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Section>
      <Pasteable title="As GraphQL" text={asMutation(run)} />
      <Pasteable title="As a command" text={asCommand(run)} />
    </Stack>
  )
}

const Pasteable = ({ title, text }: { readonly title: string; readonly text: string }) => (
  <Section title={title} actions={<Copy text={text} label={`Copy it ${title.toLowerCase()}`} />}>
    <Group>
      <Code block w="100%" tabIndex={0} style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
        {text}
      </Code>
    </Group>
  </Section>
)
