import { useMutation, useQuery } from '@apollo/client/react'
import { Anchor, Button, Group, Stack, Tabs, Text } from '@mantine/core'
import { lazy, Suspense } from 'react'
import { Link, useParams, useSearchParams } from 'react-router'
import { announce } from '../../component/announce.tsx'
import { DeleteButton } from '../../component/delete-button.tsx'
import { duration } from '../../component/format.ts'
import { PageTitle } from '../../component/page-title.tsx'
import { Failure, Loaded, Loading, Refusal, Section } from '../../component/state.tsx'
import { Moment, Status } from '../../component/text.tsx'
import { CancelRunDocument, DeleteRunDocument, RunPageDocument, type RunPageQuery } from '../../generated/graphql.ts'
import { Configuration } from './configuration.tsx'
import { LiveProgress } from './live-progress.tsx'
import { isOver, useLiveRun } from './live-run.ts'
import { MetricCards } from './metric-cards.tsx'
import { RunLog } from './run-log.tsx'

// Each is asked for when somebody opens it.
const LiveCharts = lazy(async () => ({ default: (await import('./live-charts.tsx')).LiveCharts }))
const Classes = lazy(async () => ({ default: (await import('./classes.tsx')).Classes }))
const Curves = lazy(async () => ({ default: (await import('./curves.tsx')).Curves }))
const Slices = lazy(async () => ({ default: (await import('./slices.tsx')).Slices }))
const Samples = lazy(async () => ({ default: (await import('./samples.tsx')).Samples }))

/** A run: live while it runs, its results when it has ended. */
export function RunPage() {
  const { id = '' } = useParams()
  const query = useQuery(RunPageDocument, { variables: { id } })
  return (
    <Loaded query={query}>
      {({ run }) =>
        run === null ? (
          <Failure error={new Error('There is no such run.')} />
        ) : (
          <Run key={id} run={run} onEnd={() => void query.refetch()} />
        )
      }
    </Loaded>
  )
}

function Run({ run, onEnd }: { readonly run: NonNullable<RunPageQuery['run']>; readonly onEnd: () => void }) {
  const { points, lines, failure } = useLiveRun(run, onEnd)
  const [search, setSearch] = useSearchParams()
  const over = isOver(run.status)
  const succeeded = run.status === 'SUCCEEDED'
  const tab = search.get('tab') ?? 'overview'
  const isClassifier = run.model.task !== 'REGRESSION'
  return (
    <>
      <PageTitle title={run.name ?? `Run ${run.id.slice(-12)}`} before={<Status status={run.status} />}>
        <RunActions run={run} />
      </PageTitle>
      <Text size="sm" mb="md">
        <Anchor component={Link} to={`/checkpoints/${run.checkpoint.id}`} inherit>
          {run.checkpoint.name}
        </Anchor>{' '}
        of{' '}
        <Anchor component={Link} to={`/models/${run.model.id}`} inherit>
          {run.model.name}
        </Anchor>{' '}
        on{' '}
        <Anchor component={Link} to={`/datasets/${run.dataset.id}`} inherit>
          {run.dataset.name} v{run.dataset.version}
        </Anchor>
        , started <Moment at={run.createdAt} />
        {run.durationMs !== null && `, took ${duration(run.durationMs)}`}
      </Text>
      <Stack>
        {run.error !== null && <Refusal title={`It failed: ${run.error.code}`}>{run.error.message}</Refusal>}
        {failure !== null && <Failure error={failure} retry={() => location.reload()} />}
        {!succeeded && <LiveProgress run={run} />}
        {!succeeded && points.length > 0 && (
          <Suspense fallback={<Loading />}>
            <LiveCharts points={points} task={run.model.task} />
          </Suspense>
        )}
        {succeeded && (
          <Tabs
            value={tab}
            onChange={(value) =>
              setSearch(value === 'overview' || value === null ? {} : { tab: value }, { replace: true })
            }
            keepMounted={false}
          >
            <Tabs.List mb="md">
              <Tabs.Tab value="overview">Overview</Tabs.Tab>
              {isClassifier && <Tabs.Tab value="classes">Classes</Tabs.Tab>}
              {isClassifier && <Tabs.Tab value="curves">Curves and threshold</Tabs.Tab>}
              {run.configuration.slices.length > 0 && <Tabs.Tab value="slices">Slices</Tabs.Tab>}
              {run.keepsSamples && <Tabs.Tab value="samples">Samples</Tabs.Tab>}
              <Tabs.Tab value="course">Course and log</Tabs.Tab>
              <Tabs.Tab value="configuration">Configuration</Tabs.Tab>
            </Tabs.List>
            <Suspense fallback={<Loading />}>
              <Tabs.Panel value="overview">
                <MetricCards run={run} />
              </Tabs.Panel>
              <Tabs.Panel value="classes">
                <Classes run={run} />
              </Tabs.Panel>
              <Tabs.Panel value="curves">
                <Curves run={run} />
              </Tabs.Panel>
              <Tabs.Panel value="slices">
                <Slices run={run} />
              </Tabs.Panel>
              <Tabs.Panel value="samples">
                <Samples run={run} />
              </Tabs.Panel>
              <Tabs.Panel value="course">
                <Stack>
                  {points.length > 0 && <LiveCharts points={points} task={run.model.task} />}
                  <Section title="Log">
                    <RunLog lines={lines} />
                  </Section>
                </Stack>
              </Tabs.Panel>
              <Tabs.Panel value="configuration">
                <Configuration run={run} />
              </Tabs.Panel>
            </Suspense>
          </Tabs>
        )}
        {!succeeded && (
          <Section title="Log">
            <RunLog lines={lines} />
          </Section>
        )}
        {!succeeded && over && <Configuration run={run} />}
      </Stack>
    </>
  )
}

function RunActions({ run }: { readonly run: NonNullable<RunPageQuery['run']> }) {
  const [cancel, cancelling] = useMutation(CancelRunDocument)
  const [remove] = useMutation(DeleteRunDocument)
  const say = (error: unknown): void => announce(error instanceof Error ? error.message : String(error), true)
  if (!isOver(run.status))
    return (
      <Button
        size="xs"
        variant="default"
        loading={cancelling.loading}
        onClick={() => {
          cancel({ variables: { runId: run.id } })
            .then(({ data }) => data?.cancelRun.errors.forEach(({ message }) => announce(message, true)))
            .catch(say)
        }}
      >
        Cancel the run
      </Button>
    )
  return (
    <Group gap="xs">
      <Button
        size="xs"
        variant="default"
        component={Link}
        to={`/start?checkpoint=${run.checkpoint.id}&dataset=${run.dataset.id}`}
      >
        Run it again
      </Button>
      {run.status === 'SUCCEEDED' && (
        <Button size="xs" variant="default" component={Link} to={`/compare?runs=${run.id}`}>
          Compare
        </Button>
      )}
      <DeleteButton
        of={{ __typename: 'Run', id: run.id }}
        question="Delete this run with its metrics and its log, for good?"
        remove={async () => (await remove({ variables: { runId: run.id } })).data?.deleteRun.errors ?? []}
        then="/runs"
      />
    </Group>
  )
}
