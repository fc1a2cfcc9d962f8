import { useQuery } from '@apollo/client/react'
import { Anchor, Button, Group, Stack, Table, Text } from '@mantine/core'
import { useState } from 'react'
import { Link } from 'react-router'
import { count } from '../../component/format.ts'
import { PageTitle } from '../../component/page-title.tsx'
import { Empty, Loaded, Section } from '../../component/state.tsx'
import { Moment } from '../../component/text.tsx'
import { ModelsPageDocument } from '../../generated/graphql.ts'
import { CreateModel } from './create-model.tsx'
import { WideTable } from '../../component/wide-table.tsx'

const PAGE = 50

/** All models. */
export function ModelsPage() {
  const query = useQuery(ModelsPageDocument, { variables: { first: PAGE }, fetchPolicy: 'cache-and-network' })
  const [open, setOpen] = useState(false)
  return (
    <Stack>
      <PageTitle title="Models">
        <Button size="xs" onClick={() => setOpen(!open)} aria-expanded={open}>
          New model
        </Button>
      </PageTitle>
      {open && (
        <Section title="New model">
          <CreateModel />
        </Section>
      )}
      <Loaded query={query}>
        {({ models: { nodes, pageInfo } }) =>
          nodes.length === 0 ? (
            <Empty title="There are no models yet">
              <Text size="sm">
                A model has an architecture, a task and class names; its checkpoints bring the weights.
              </Text>
            </Empty>
          ) : (
            <>
              <WideTable label="Models" minWidth={560}>
                <Table.Thead>
                  <Table.Tr>
                    <Table.Th>Model</Table.Th>
                    <Table.Th>Task</Table.Th>
                    <Table.Th className="numbers">Parameters</Table.Th>
                    <Table.Th>Newest checkpoint</Table.Th>
                    <Table.Th>Created</Table.Th>
                  </Table.Tr>
                </Table.Thead>
                <Table.Tbody>
                  {nodes.map((model) => (
                    <Table.Tr key={model.id}>
                      <Table.Td>
                        <Anchor component={Link} to={`/models/${model.id}`}>
                          {model.name}
                        </Anchor>
                      </Table.Td>
                      <Table.Td>
                        {model.task.toLowerCase()}
                        {model.classes.length > 0 && `, ${model.classes.length} classes`}
                      </Table.Td>
                      <Table.Td className="numbers">{count(model.architecture.parameterCount)}</Table.Td>
                      <Table.Td>
                        {model.checkpoints.nodes.map(({ id, name }) => (
                          <Anchor key={id} component={Link} to={`/checkpoints/${id}`}>
                            {name}
                          </Anchor>
                        ))}
                      </Table.Td>
                      <Table.Td>
                        <Moment at={model.createdAt} />
                      </Table.Td>
                    </Table.Tr>
                  ))}
                </Table.Tbody>
              </WideTable>
              {pageInfo.hasNextPage && (
                <Group>
                  <Button
                    variant="default"
                    loading={query.loading}
                    onClick={() => void query.fetchMore({ variables: { after: pageInfo.endCursor } })}
                  >
                    Show more
                  </Button>
                </Group>
              )}
            </>
          )
        }
      </Loaded>
    </Stack>
  )
}
