import { useQuery } from '@apollo/client/react'
import { Anchor, Button, Stack, Table, Text } from '@mantine/core'
import { useState } from 'react'
import { Link } from 'react-router'
import { bytes, count } from '../../component/format.ts'
import { PageTitle } from '../../component/page-title.tsx'
import { Empty, Loaded, Section } from '../../component/state.tsx'
import { Moment } from '../../component/text.tsx'
import { DatasetsPageDocument } from '../../generated/graphql.ts'
import { UploadDataset } from './upload-dataset.tsx'
import { WideTable } from '../../component/wide-table.tsx'

const PAGE = 50

/** All versions of all datasets, and a place to drop another. */
export function DatasetsPage() {
  const query = useQuery(DatasetsPageDocument, { variables: { first: PAGE }, fetchPolicy: 'cache-and-network' })
  const [open, setOpen] = useState(false)
  return (
    <Stack>
      <PageTitle title="Datasets">
        <Button size="xs" onClick={() => setOpen(!open)} aria-expanded={open}>
          New dataset
        </Button>
      </PageTitle>
      {open && (
        <Section title="New dataset">
          <UploadDataset />
        </Section>
      )}
      <Loaded query={query}>
        {({ datasets: { nodes, pageInfo } }) =>
          nodes.length === 0 ? (
            <Empty title="There are no datasets yet">
              <Text size="sm">A dataset is a file of samples with their labels: arrays, a table, or images.</Text>
            </Empty>
          ) : (
            <>
              <WideTable label="Datasets" minWidth={520}>
                <Table.Thead>
                  <Table.Tr>
                    <Table.Th>Dataset</Table.Th>
                    <Table.Th className="numbers">Samples</Table.Th>
                    <Table.Th>Format</Table.Th>
                    <Table.Th className="numbers">File</Table.Th>
                    <Table.Th>Imported</Table.Th>
                  </Table.Tr>
                </Table.Thead>
                <Table.Tbody>
                  {nodes.map(({ id, name, version, rows, format, fileBytes, createdAt }) => (
                    <Table.Tr key={id}>
                      <Table.Td>
                        <Anchor component={Link} to={`/datasets/${id}`}>
                          {name} v{version}
                        </Anchor>
                      </Table.Td>
                      <Table.Td className="numbers">{count(rows)}</Table.Td>
                      <Table.Td>{format}</Table.Td>
                      <Table.Td className="numbers">{bytes(fileBytes)}</Table.Td>
                      <Table.Td>
                        <Moment at={createdAt} />
                      </Table.Td>
                    </Table.Tr>
                  ))}
                </Table.Tbody>
              </WideTable>
              {pageInfo.hasNextPage && (
                <Button
                  variant="default"
                  onClick={() => void query.fetchMore({ variables: { after: pageInfo.endCursor } })}
                >
                  Show more
                </Button>
              )}
            </>
          )
        }
      </Loaded>
    </Stack>
  )
}
