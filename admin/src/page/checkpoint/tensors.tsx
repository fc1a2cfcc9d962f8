import { useQuery } from '@apollo/client/react'
import { Alert, Text, TextInput } from '@mantine/core'
import { useEffect, useMemo, useState } from 'react'
import { DataTable, type Column } from '../../component/data-table.tsx'
import { bytes, count, shape } from '../../component/format.ts'
import { HistogramBars } from '../../component/histogram-bars.tsx'
import { Failure, Loaded, Section } from '../../component/state.tsx'
import { Value } from '../../component/text.tsx'
import { CheckpointTensorsDocument, type CheckpointTensorsQuery } from '../../generated/graphql.ts'

type Tensor = NonNullable<CheckpointTensorsQuery['checkpoint']>['tensors'][number]

const statistic = (id: 'min' | 'max' | 'mean' | 'std' | 'norm', header: string, from: number): Column<Tensor> => ({
  id,
  header,
  width: '100px',
  numeric: true,
  from,
  cell: ({ statistics }) => <Value value={statistics?.[id]} />,
  sortBy: ({ statistics }) => statistics?.[id] ?? null,
})

const notFinite = ({ statistics: s }: Tensor): number | null =>
  s === null ? null : s.nan + s.positiveInfinity + s.negativeInfinity

const COLUMNS: readonly Column<Tensor>[] = [
  {
    id: 'key',
    header: 'state_dict key',
    width: 'minmax(130px, 3fr)',
    cell: ({ key }) => <span title={key}>{key}</span>,
    sortBy: ({ key }) => key,
  },
  { id: 'dtype', header: 'dtype', width: '90px', from: 520, cell: ({ dtype }) => dtype, sortBy: ({ dtype }) => dtype },
  { id: 'shape', header: 'Shape', width: 'minmax(90px, 1fr)', cell: (tensor) => shape(tensor.shape) },
  {
    id: 'bytes',
    header: 'Bytes',
    width: '90px',
    numeric: true,
    from: 640,
    cell: (tensor) => bytes(tensor.bytes),
    sortBy: (tensor) => tensor.bytes,
  },
  statistic('mean', 'Mean', 700),
  statistic('std', 'Std', 700),
  statistic('min', 'Min', 900),
  statistic('max', 'Max', 900),
  statistic('norm', 'Norm', 1150),
  {
    id: 'notFinite',
    header: 'NaN, ∞',
    width: '80px',
    numeric: true,
    from: 1000,
    cell: (tensor) => count(notFinite(tensor)),
    sortBy: notFinite,
  },
  {
    id: 'histogram',
    header: 'Values',
    width: '130px',
    from: 600,
    cell: ({ key, statistics }) =>
      statistics?.histogram == null ? (
        '—'
      ) : (
        <HistogramBars histogram={statistics.histogram} label={`How the values of ${key} are distributed`} />
      ),
  },
  {
    id: 'shared',
    header: 'Shared',
    width: '110px',
    from: 1100,
    cell: ({ sharedWith, inOtherCheckpoints }) => (
      <span title={sharedWith.join('\n')}>
        {[sharedWith.length > 0 ? `with ${sharedWith.length} keys` : '', inOtherCheckpoints ? 'elsewhere' : '']
          .filter(Boolean)
          .join(', ') || 'no'}
      </span>
    ),
  },
]

/** Every tensor of a checkpoint, with what is known of its values. */
export function Tensors({ id }: { readonly id: string }) {
  const query = useQuery(CheckpointTensorsDocument, { variables: { id }, fetchPolicy: 'cache-and-network' })
  const [wanted, setWanted] = useState('')
  const pending = query.data?.checkpoint?.statisticsStatus === 'PENDING'
  const { startPolling, stopPolling } = query
  useEffect(() => {
    if (!pending) return
    startPolling(2000)
    return stopPolling
  }, [pending, startPolling, stopPolling])
  const tensors = query.data?.checkpoint?.tensors
  const rows = useMemo(() => (tensors ?? []).filter(({ key }) => key.includes(wanted)), [tensors, wanted])
  return (
    <Loaded query={query}>
      {({ checkpoint }) =>
        checkpoint === null ? (
          <Failure error={new Error('There is no such checkpoint.')} />
        ) : (
          <Section
            title={`${count(checkpoint.tensors.length)} tensors`}
            actions={
              <TextInput
                size="xs"
                aria-label="Keys that contain"
                placeholder="key contains"
                value={wanted}
                onChange={({ currentTarget }) => setWanted(currentTarget.value)}
              />
            }
          >
            {pending && (
              <Alert color="blue" role="status">
                A worker computes the statistics while it evaluates nothing.
              </Alert>
            )}
            {rows.length === 0 ? (
              <Text size="sm">No key is like this.</Text>
            ) : (
              <DataTable
                label="Tensors"
                rows={rows}
                keyOf={({ key }) => key}
                columns={COLUMNS}
                height={560}
                rowHeight={36}
              />
            )}
          </Section>
        )
      }
    </Loaded>
  )
}
