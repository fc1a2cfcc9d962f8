import { useQuery } from '@apollo/client/react'
import { Badge, Button, Group, Paper, SegmentedControl, Select, SimpleGrid, Stack, Text } from '@mantine/core'
import { useMemo } from 'react'
import { useSearchParams } from 'react-router'
import { count, shown } from '../../component/format.ts'
import { SampleFeatures } from '../../component/sample-features.tsx'
import { Empty, Loaded, Section } from '../../component/state.tsx'
import { Value } from '../../component/text.tsx'
import {
  RunSamplesDocument,
  type RunPageQuery,
  type RunSamplesQuery,
  type SampleOrder,
} from '../../generated/graphql.ts'

type Sample = NonNullable<RunSamplesQuery['run']>['sampleResults']['nodes'][number]

const PAGE = 24

/** The samples and what the model said about each: by default the mistakes that it was surest of. */
export function Samples({ run }: { readonly run: NonNullable<RunPageQuery['run']> }) {
  const [search, setSearch] = useSearchParams()
  const isClassifier = run.model.task !== 'REGRESSION'
  const truth = search.get('true')
  const predicted = search.get('predicted')
  const notTruth = search.get('nottrue')
  const notPredicted = search.get('notpredicted')
  const slice = search.get('slice')
  const value = search.get('value')
  const isNarrowed = [truth, predicted, notTruth, notPredicted, slice].some((each) => each !== null)
  const outcome = search.get('outcome') ?? (isClassifier && !isNarrowed ? 'WRONG' : 'ALL')
  const order = (search.get('by') ?? (isClassifier ? 'CONFIDENCE' : 'LOSS')) as SampleOrder
  const variables = useMemo(
    () => ({
      id: run.id,
      first: PAGE,
      orderBy: order,
      filter: {
        ...(outcome === 'ALL' ? {} : { outcome: outcome as 'RIGHT' | 'WRONG' }),
        ...(truth === null ? {} : { trueClass: truth }),
        ...(predicted === null ? {} : { predictedClass: predicted }),
        ...(notTruth === null ? {} : { notTrueClass: notTruth }),
        ...(notPredicted === null ? {} : { notPredictedClass: notPredicted }),
        ...(slice === null || value === null ? {} : { slice: { key: slice, value } }),
      },
    }),
    [run.id, order, outcome, truth, predicted, notTruth, notPredicted, slice, value],
  )
  const query = useQuery(RunSamplesDocument, { variables })
  const set = (changes: Readonly<Record<string, string | null>>): void => {
    setSearch(
      (before) => {
        const next = new URLSearchParams(before)
        for (const [name, to] of Object.entries(changes)) {
          if (to === null) next.delete(name)
          else next.set(name, to)
        }
        return next
      },
      { replace: true },
    )
  }
  return (
    <Section title="Samples">
      <Group align="flex-end" gap="xs">
        {isClassifier && (
          <SegmentedControl
            size="xs"
            aria-label="Which samples"
            value={outcome}
            onChange={(to) => set({ outcome: to })}
            data={[
              { value: 'WRONG', label: 'Mistakes' },
              { value: 'RIGHT', label: 'Right' },
              { value: 'ALL', label: 'All' },
            ]}
          />
        )}
        <Select
          size="xs"
          label="Order"
          allowDeselect={false}
          value={order}
          onChange={(to) => set({ by: to })}
          data={[
            ...(isClassifier ? [{ value: 'CONFIDENCE', label: 'Most confident first' }] : []),
            { value: 'LOSS', label: 'Largest loss first' },
            { value: 'ROW', label: 'As in the dataset' },
          ]}
        />
        {isClassifier && (
          <>
            <Select
              size="xs"
              label="True class"
              clearable
              searchable
              value={truth}
              data={[...run.model.classes]}
              onChange={(to) => set({ true: to })}
              w={130}
            />
            <Select
              size="xs"
              label="Predicted class"
              clearable
              searchable
              value={predicted}
              data={[...run.model.classes]}
              onChange={(to) => set({ predicted: to })}
              w={130}
            />
          </>
        )}
        {notTruth !== null && <Narrowed text={`true: not ${notTruth}`} widen={() => set({ nottrue: null })} />}
        {notPredicted !== null && (
          <Narrowed text={`predicted: not ${notPredicted}`} widen={() => set({ notpredicted: null })} />
        )}
        {slice !== null && <Narrowed text={`${slice} is ${value}`} widen={() => set({ slice: null, value: null })} />}
      </Group>
      <Loaded query={query}>
        {({ run: found }) => {
          const { nodes = [], totalCount = 0, pageInfo } = found?.sampleResults ?? {}
          if (nodes.length === 0) return <Empty title="No sample is like this" />
          return (
            <Stack>
              <Text size="sm" role="status">
                {count(totalCount)} samples, {count(nodes.length)} shown
              </Text>
              <SimpleGrid cols={{ base: 1, xs: 2, md: 3, lg: 4 }} spacing="xs">
                {nodes.map((sample) => (
                  <SampleCard key={sample.row} sample={sample} classes={run.model.classes} />
                ))}
              </SimpleGrid>
              {pageInfo?.hasNextPage === true && (
                <Button
                  variant="default"
                  loading={query.loading}
                  onClick={() => void query.fetchMore({ variables: { ...variables, after: pageInfo.endCursor } })}
                >
                  Show more
                </Button>
              )}
            </Stack>
          )
        }}
      </Loaded>
    </Section>
  )
}

/** What samples are narrowed to by a link, and a way to widen it. */
const Narrowed = ({ text, widen }: { readonly text: string; readonly widen: () => void }) => (
  <Button size="xs" variant="default" onClick={widen} aria-label={`${text}: show the others too`}>
    {text} ×
  </Button>
)

function SampleCard({ sample, classes }: { readonly sample: Sample; readonly classes: readonly string[] }) {
  const { row, id, right, loss, confidence, labels, trueLabels, trueValues, logits, probabilities, data } = sample
  const likeliest = (probabilities ?? [])
    .map((p, i) => ({ p, name: classes[i] ?? String(i) }))
    .sort((a, b) => b.p - a.p)
    .slice(0, 3)
  return (
    <Paper withBorder p="xs" component="article" aria-label={`Sample ${row}`}>
      <Group justify="space-between" wrap="nowrap" mb={4}>
        <Text size="sm" fw={600}>
          {id ?? `#${row}`}
        </Text>
        {right !== null && (
          <Badge size="sm" variant="light" color={right ? 'green' : 'red'}>
            {right ? 'right' : 'wrong'}
          </Badge>
        )}
      </Group>
      <SampleFeatures sample={data} />
      {trueLabels === null ? (
        <Text size="sm">
          said {logits.map(shown).join(', ')}, true {trueValues?.map(shown).join(', ')}
        </Text>
      ) : (
        <Text size="sm">
          said <b>{labels.join(', ') || 'none'}</b>, true <b>{trueLabels.join(', ') || 'none'}</b>
        </Text>
      )}
      <Text size="xs" c="dimmed">
        {confidence !== null && (
          <>
            confidence <Value value={confidence} />,{' '}
          </>
        )}
        loss <Value value={loss} />
      </Text>
      {likeliest.length > 1 && (
        <Text size="xs" c="dimmed">
          {likeliest.map(({ name, p }) => `${name} ${p.toFixed(3)}`).join(' · ')}
        </Text>
      )}
    </Paper>
  )
}
