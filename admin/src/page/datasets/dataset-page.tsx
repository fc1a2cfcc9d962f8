import { useMutation, useQuery } from '@apollo/client/react'
import { Button, Group, Paper, SimpleGrid, Stack, Table, Text } from '@mantine/core'
import { useMemo } from 'react'
import { Link, useParams, useSearchParams } from 'react-router'
import { DeleteButton } from '../../component/delete-button.tsx'
import { bytes, count, shape } from '../../component/format.ts'
import { PageTitle } from '../../component/page-title.tsx'
import { RunList } from '../../component/run-list.tsx'
import { SampleFeatures } from '../../component/sample-features.tsx'
import { Failure, Loaded, Section } from '../../component/state.tsx'
import { Hash, Moment, Value } from '../../component/text.tsx'
import { VerifyButton } from '../../component/verify-button.tsx'
import {
  DatasetPageDocument,
  DatasetPreviewDocument,
  DatasetSamplesDocument,
  DeleteDatasetDocument,
  VerifyDatasetDocument,
  type DatasetPageQuery,
} from '../../generated/graphql.ts'
import { ClassBalance } from './class-balance.tsx'
import { WideTable } from '../../component/wide-table.tsx'

type Data = NonNullable<DatasetPageQuery['dataset']>

/** Samples of a page. */
const PAGE = 24

/** A version of a dataset: its columns, its classes, its samples. */
export function DatasetPage() {
  const { id = '' } = useParams()
  const query = useQuery(DatasetPageDocument, { variables: { id } })
  return (
    <Loaded query={query}>
      {({ dataset }) =>
        dataset === null ? <Failure error={new Error('There is no such dataset.')} /> : <Dataset dataset={dataset} />
      }
    </Loaded>
  )
}

function Dataset({ dataset }: { readonly dataset: Data }) {
  const [remove] = useMutation(DeleteDatasetDocument)
  const [verify] = useMutation(VerifyDatasetDocument)
  const preview = useQuery(DatasetPreviewDocument, { variables: { id: dataset.id } })
  return (
    <Stack>
      <PageTitle title={`${dataset.name} v${dataset.version}`}>
        <Button size="xs" component={Link} to={`/start?dataset=${dataset.id}`}>
          Evaluate on it
        </Button>
        <DeleteButton
          of={{ __typename: 'Dataset', id: dataset.id }}
          question="Delete this version of the dataset and its runs, for good?"
          remove={async () =>
            (await remove({ variables: { id: dataset.id, deleteRuns: true } })).data?.deleteDataset.errors ?? []
          }
          then="/datasets"
        />
      </PageTitle>
      <Text size="sm">
        {count(dataset.rows)} samples from {dataset.fileName} ({dataset.format}, {bytes(dataset.fileBytes)}), imported{' '}
        <Moment at={dataset.createdAt} />; takes {bytes(dataset.storage.logicalBytes)};{' '}
        <Hash value={dataset.fileSha256} />
      </Text>
      <VerifyButton
        verify={async (after) => (await verify({ variables: { id: dataset.id, after } })).data!.verifyDataset}
      />
      <Columns dataset={dataset} />
      <Loaded query={preview}>
        {({ dataset: found }) =>
          found !== null && found.preview.classBalance.length > 0 ? (
            <Section title="Class balance">
              <ClassBalance balance={found.preview.classBalance} rows={found.preview.rows} />
            </Section>
          ) : null
        }
      </Loaded>
      <Samples dataset={dataset} />
      <Section title="Last runs">
        <RunList runs={dataset.runs.nodes} all={`/runs?dataset=${dataset.id}`} />
      </Section>
    </Stack>
  )
}

const Columns = ({ dataset }: { readonly dataset: Data }) => (
  <Section title="Columns">
    <WideTable label="Columns" minWidth={560}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Column</Table.Th>
          <Table.Th>Is for</Table.Th>
          <Table.Th>Type</Table.Th>
          <Table.Th className="numbers">From</Table.Th>
          <Table.Th className="numbers">To</Table.Th>
          <Table.Th>Names</Table.Th>
          <Table.Th>Before the model</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {dataset.columns.map(({ name, role, dtype, shape: sizes, min, max, names, preprocess }) => (
          <Table.Tr key={name}>
            <Table.Td>{name}</Table.Td>
            <Table.Td>{role.toLowerCase()}</Table.Td>
            <Table.Td>
              {dtype}
              {sizes.length > 0 && shape(sizes)}
            </Table.Td>
            <Table.Td className="numbers">
              <Value value={min} />
            </Table.Td>
            <Table.Td className="numbers">
              <Value value={max} />
            </Table.Td>
            <Table.Td>
              {names.slice(0, 8).join(', ')}
              {names.length > 8 && ` and ${names.length - 8} more`}
            </Table.Td>
            <Table.Td>
              {preprocess === null
                ? '—'
                : [
                    preprocess.divisor === null ? '' : `÷ ${preprocess.divisor}`,
                    preprocess.mean === null ? '' : `− ${preprocess.mean.join(', ')}`,
                    preprocess.std === null ? '' : `÷ ${preprocess.std.join(', ')}`,
                  ]
                    .filter(Boolean)
                    .join(' ')}
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </WideTable>
  </Section>
)

function Samples({ dataset }: { readonly dataset: Data }) {
  const [search, setSearch] = useSearchParams()
  const from = Math.max(0, Math.floor(Number(search.get('from') ?? 0)) || 0)
  const rows = useMemo(
    () => Array.from({ length: PAGE }, (_, i) => from + i).filter((row) => row < dataset.rows),
    [from, dataset.rows],
  )
  const query = useQuery(DatasetSamplesDocument, { variables: { id: dataset.id, rows } })
  const go = (to: number): void => setSearch(to === 0 ? {} : { from: String(to) }, { replace: true })
  return (
    <Section
      title="Samples"
      actions={
        <Group gap="xs">
          <Button size="xs" variant="default" disabled={from === 0} onClick={() => go(Math.max(0, from - PAGE))}>
            Before
          </Button>
          <Button size="xs" variant="default" disabled={from + PAGE >= dataset.rows} onClick={() => go(from + PAGE)}>
            Next
          </Button>
        </Group>
      }
    >
      <Loaded query={query}>
        {({ dataset: found }) => (
          <SimpleGrid cols={{ base: 2, xs: 3, sm: 4, md: 6, lg: 8 }} spacing="xs">
            {(found?.samples ?? []).map((sample) => (
              <Paper key={sample.row} withBorder p="xs" component="article" aria-label={`Sample ${sample.row}`}>
                <SampleFeatures sample={sample} />
                <Text size="xs">
                  {sample.id ?? `#${sample.row}`}
                  {sample.labels !== null && (
                    <>
                      {' '}
                      <b>{sample.labels.join(', ')}</b>
                    </>
                  )}
                </Text>
              </Paper>
            ))}
          </SimpleGrid>
        )}
      </Loaded>
    </Section>
  )
}
