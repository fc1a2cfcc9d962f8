import { useQuery } from '@apollo/client/react'
import { Anchor, Badge, Button, Checkbox, Group, Stack, Table, Text, VisuallyHidden } from '@mantine/core'
import { useState } from 'react'
import { Link } from 'react-router'
import { bytes } from '../../component/format.ts'
import { Loaded, Section } from '../../component/state.tsx'
import { Moment } from '../../component/text.tsx'
import { CheckpointsOfModelDocument } from '../../generated/graphql.ts'
import { UploadCheckpoint } from './upload-checkpoint.tsx'
import { WideTable } from '../../component/wide-table.tsx'

/** The checkpoints of a model, and a place to drop another. */
export function Checkpoints({ modelId }: { readonly modelId: string }) {
  const query = useQuery(CheckpointsOfModelDocument, {
    variables: { id: modelId, first: 50 },
    fetchPolicy: 'cache-and-network',
  })
  const [chosen, setChosen] = useState<readonly string[]>([])
  const toggle = (id: string): void =>
    setChosen((before) => (before.includes(id) ? before.filter((each) => each !== id) : [...before.slice(-1), id]))
  return (
    <Stack>
      <Section title="Add a checkpoint">
        <UploadCheckpoint modelId={modelId} onCreated={() => void query.refetch()} />
      </Section>
      <Section
        title="Checkpoints"
        actions={
          chosen.length === 2 && (
            <Button size="xs" variant="default" component={Link} to={`/diff?base=${chosen[0]!}&other=${chosen[1]!}`}>
              What differs between the two
            </Button>
          )
        }
      >
        <Loaded query={query}>
          {({ checkpoints: { nodes, pageInfo } }) =>
            nodes.length === 0 ? (
              <Text size="sm">There are none yet: drop a .pth file above.</Text>
            ) : (
              <>
                <WideTable label="Checkpoints" minWidth={620}>
                  <Table.Thead>
                    <Table.Tr>
                      <Table.Th>
                        <VisuallyHidden>Chosen</VisuallyHidden>
                      </Table.Th>
                      <Table.Th>Checkpoint</Table.Th>
                      <Table.Th>Fits</Table.Th>
                      <Table.Th>Format</Table.Th>
                      <Table.Th className="numbers">File</Table.Th>
                      <Table.Th className="numbers">Its own bytes</Table.Th>
                      <Table.Th>Imported</Table.Th>
                    </Table.Tr>
                  </Table.Thead>
                  <Table.Tbody>
                    {nodes.map(({ id, name, binding, format, fileBytes, storage, createdAt, warnings }) => (
                      <Table.Tr key={id}>
                        <Table.Td>
                          <Checkbox
                            size="xs"
                            checked={chosen.includes(id)}
                            onChange={() => toggle(id)}
                            aria-label={`Choose ${name}`}
                          />
                        </Table.Td>
                        <Table.Td>
                          <Anchor component={Link} to={`/checkpoints/${id}`} size="sm">
                            {name}
                          </Anchor>
                        </Table.Td>
                        <Table.Td>
                          <Group gap={4}>
                            <Badge variant="light" color={binding.ok ? 'green' : 'orange'} radius="sm">
                              {binding.ok ? 'fits' : 'needs a fix'}
                            </Badge>
                            {warnings.length > 0 && (
                              <Badge variant="light" color="orange" radius="sm">
                                {warnings.length} warnings
                              </Badge>
                            )}
                          </Group>
                        </Table.Td>
                        <Table.Td>{format.toLowerCase().replaceAll('_', ' ')}</Table.Td>
                        <Table.Td className="numbers">{bytes(fileBytes)}</Table.Td>
                        <Table.Td className="numbers">{bytes(storage.uniqueBytes)}</Table.Td>
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
      </Section>
    </Stack>
  )
}
