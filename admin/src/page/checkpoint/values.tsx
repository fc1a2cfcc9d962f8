import { useQuery } from '@apollo/client/react'
import { Anchor, Breadcrumbs, Button, Group, Table, Text } from '@mantine/core'
import { useSearchParams } from 'react-router'
import { Failure, Loaded, Section } from '../../component/state.tsx'
import { CheckpointValuesDocument } from '../../generated/graphql.ts'

/** Everything that the file held, one level at a time: epoch, loss, optimizer state. */
export function Values({ id }: { readonly id: string }) {
  const [search, setSearch] = useSearchParams()
  const path = search.getAll('at')
  const after = search.get('after')
  const query = useQuery(CheckpointValuesDocument, {
    variables: { id, path, after: after === null ? null : Number(after) },
  })
  const go = (to: readonly string[], from?: number): void => {
    const next = new URLSearchParams({ tab: 'values' })
    for (const key of to) next.append('at', key)
    if (from !== undefined) next.set('after', String(from))
    setSearch(next)
  }
  return (
    <Section title="Everything in the file">
      <Breadcrumbs>
        {['file', ...path].map((key, i) => (
          <Anchor key={i} component="button" type="button" size="sm" onClick={() => go(path.slice(0, i))}>
            {key}
          </Anchor>
        ))}
      </Breadcrumbs>
      <Loaded query={query}>
        {({ checkpoint }) => {
          if (checkpoint === null) return <Failure error={new Error('There is no such checkpoint.')} />
          const { nodes, total, hasNextPage } = checkpoint.values
          if (nodes.length === 0) return <Text size="sm">Nothing is in there.</Text>
          return (
            <>
              <Table verticalSpacing={4} layout="fixed">
                <Table.Thead>
                  <Table.Tr>
                    <Table.Th>Key</Table.Th>
                    <Table.Th w={120}>Kind</Table.Th>
                    <Table.Th>Value</Table.Th>
                  </Table.Tr>
                </Table.Thead>
                <Table.Tbody>
                  {nodes.map(({ key, position, kind, preview, childCount }) => (
                    <Table.Tr key={position}>
                      <Table.Td style={{ overflowWrap: 'anywhere' }}>
                        {childCount > 0 ? (
                          <Anchor component="button" type="button" size="sm" onClick={() => go([...path, key])}>
                            {key} ({childCount})
                          </Anchor>
                        ) : (
                          key
                        )}
                      </Table.Td>
                      <Table.Td>{kind}</Table.Td>
                      <Table.Td className="mono">{preview}</Table.Td>
                    </Table.Tr>
                  ))}
                </Table.Tbody>
              </Table>
              <Group>
                <Text size="sm">{total} entries</Text>
                {hasNextPage && (
                  <Button size="xs" variant="default" onClick={() => go(path, nodes.at(-1)!.position)}>
                    Next
                  </Button>
                )}
              </Group>
            </>
          )
        }}
      </Loaded>
    </Section>
  )
}
