import { skipToken, useQuery } from '@apollo/client/react'
import { Alert, Anchor, List, SimpleGrid, Stack, Text } from '@mantine/core'
import { useEffect } from 'react'
import { Link, useSearchParams } from 'react-router'
import { DataTable, type Column } from '../../component/data-table.tsx'
import { bytes, shape, shown } from '../../component/format.ts'
import { PageTitle } from '../../component/page-title.tsx'
import { Empty, Loaded, Section } from '../../component/state.tsx'
import { Value } from '../../component/text.tsx'
import { CheckpointDiffDocument, type CheckpointDiffQuery } from '../../generated/graphql.ts'

type Tensor = CheckpointDiffQuery['compareCheckpoints']['tensors'][number]

const CHANGES = { UNCHANGED: 'equal', VALUES: 'values', DTYPE: 'dtype', SHAPE: 'shape' } as const

const COLUMNS: readonly Column<Tensor>[] = [
  {
    id: 'key',
    header: 'state_dict key',
    width: 'minmax(130px, 3fr)',
    cell: ({ key }) => <span title={key}>{key}</span>,
    sortBy: ({ key }) => key,
  },
  {
    id: 'change',
    header: 'What differs',
    width: '110px',
    cell: ({ change }) => (change === null ? '…' : CHANGES[change]),
    sortBy: ({ change }) => change ?? '',
  },
  {
    id: 'relative',
    header: 'Relative L2',
    width: '110px',
    numeric: true,
    cell: ({ distance, reason }) => <Value value={distance?.relativeL2} reason={reason} />,
    sortBy: ({ distance }) => distance?.relativeL2 ?? null,
  },
  {
    id: 'largest',
    header: 'Largest',
    width: '110px',
    numeric: true,
    from: 560,
    cell: ({ distance, reason }) => <Value value={distance?.maxAbsDifference} reason={reason} />,
    sortBy: ({ distance }) => distance?.maxAbsDifference ?? null,
  },
  {
    id: 'cosine',
    header: 'Cosine',
    width: '110px',
    numeric: true,
    from: 680,
    cell: ({ distance, reason }) => <Value value={distance?.cosineSimilarity} reason={reason} />,
    sortBy: ({ distance }) => distance?.cosineSimilarity ?? null,
  },
  {
    id: 'shape',
    header: 'Shape',
    width: 'minmax(110px, 1fr)',
    from: 800,
    cell: ({ baseShape, otherShape, baseDtype, otherDtype }) =>
      shape(baseShape) === shape(otherShape) && baseDtype === otherDtype
        ? shape(baseShape)
        : `${baseDtype}${shape(baseShape)} → ${otherDtype}${shape(otherShape)}`,
  },
]

/** Two checkpoints side by side: keys, and how far the values are apart. */
export function DiffPage() {
  const [search] = useSearchParams()
  const ids = [search.get('base') ?? '', search.get('other') ?? '']
  const ready = ids.every((id) => id !== '')
  const query = useQuery(CheckpointDiffDocument, ready ? { variables: { ids } } : skipToken)
  const pending = query.data?.compareCheckpoints.status === 'PENDING'
  const { startPolling, stopPolling } = query
  useEffect(() => {
    if (!pending) return
    startPolling(1000)
    return stopPolling
  }, [pending, startPolling, stopPolling])
  if (!ready)
    return (
      <Stack>
        <PageTitle title="What differs between two checkpoints" />
        <Empty title="Choose two checkpoints of a model">
          <Anchor component={Link} to="/models">
            All models
          </Anchor>
        </Empty>
      </Stack>
    )
  return (
    <Stack>
      <PageTitle title="What differs between two checkpoints" />
      <Loaded query={query}>
        {({
          compareCheckpoints: { base, other, added, removed, equalTensors, equalShare, storages, tensors, error },
        }) => (
          <>
            <Text>
              From{' '}
              <Anchor component={Link} to={`/checkpoints/${base.id}`}>
                {base.name}
              </Anchor>{' '}
              to{' '}
              <Anchor component={Link} to={`/checkpoints/${other.id}`}>
                {other.name}
              </Anchor>
              : {equalTensors} of {tensors.length} tensors are equal
              {equalShare !== null && `, which is ${shown(100 * equalShare)} % of the bytes`}. Stored once for both:{' '}
              {bytes(storages.common)} of {bytes(storages.other)}.
            </Text>
            {pending && (
              <Alert color="blue" role="status">
                A worker computes the distances.
              </Alert>
            )}
            {error !== null && <Alert color="red">{error.message}</Alert>}
            {(added.length > 0 || removed.length > 0) && (
              <SimpleGrid cols={{ base: 1, sm: 2 }}>
                <KeyList title="New keys" keys={added} />
                <KeyList title="Keys that are gone" keys={removed} />
              </SimpleGrid>
            )}
            <Section title="Tensors of both">
              <DataTable
                label="Tensors of both"
                rows={tensors}
                keyOf={({ key }) => key}
                columns={COLUMNS}
                height={600}
                rowHeight={34}
              />
            </Section>
          </>
        )}
      </Loaded>
    </Stack>
  )
}

const KeyList = ({ title, keys }: { readonly title: string; readonly keys: readonly string[] }) => (
  <Section title={`${title} (${keys.length})`}>
    <List size="sm" className="mono">
      {keys.slice(0, 100).map((key) => (
        <List.Item key={key}>{key}</List.Item>
      ))}
    </List>
  </Section>
)
