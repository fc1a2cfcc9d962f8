import { useQuery } from '@apollo/client/react'
import { Button, SegmentedControl, Table, Text } from '@mantine/core'
import { useState } from 'react'
import { Loaded, Section } from '../../component/state.tsx'
import { Value } from '../../component/text.tsx'
import { CompareChangesDocument, type SampleChangeKind } from '../../generated/graphql.ts'
import { WideTable } from '../../component/wide-table.tsx'

const PAGE = 20

/** The samples that one run answers rightly and another wrongly. */
export function Changes({
  base,
  other,
  title,
}: {
  readonly base: { readonly id: string }
  readonly other: { readonly id: string }
  readonly title: string
}) {
  const [change, setChange] = useState<SampleChangeKind>('BROKEN')
  const [after, setAfter] = useState<number | null>(null)
  const query = useQuery(CompareChangesDocument, {
    variables: { ids: [base.id, other.id], change, first: PAGE, afterRow: after },
  })
  const of = (labels: readonly string[]): string => labels.join(', ') || 'none'
  return (
    <Section
      title={`Samples that change with ${title}`}
      actions={
        <SegmentedControl
          size="xs"
          aria-label={`Which samples of ${title}`}
          value={change}
          onChange={(value) => {
            setAfter(null)
            setChange(value)
          }}
          data={[
            { value: 'BROKEN', label: 'Newly broken' },
            { value: 'FIXED', label: 'Newly fixed' },
          ]}
        />
      }
    >
      <Loaded query={query}>
        {({ compareRuns }) => {
          const { nodes = [], hasNextPage = false } = compareRuns.others[0]?.changes ?? {}
          if (nodes.length === 0) return <Text size="sm">There are none.</Text>
          return (
            <>
              <WideTable label={`Samples that change with ${title}`} minWidth={520}>
                <Table.Thead>
                  <Table.Tr>
                    <Table.Th>Sample</Table.Th>
                    <Table.Th>True</Table.Th>
                    <Table.Th>Base said</Table.Th>
                    <Table.Th className="numbers">Confidence</Table.Th>
                    <Table.Th>This one says</Table.Th>
                    <Table.Th className="numbers">Confidence</Table.Th>
                  </Table.Tr>
                </Table.Thead>
                <Table.Tbody>
                  {nodes.map(({ row, id, trueLabels, baseLabels, labels, baseConfidence, confidence }) => (
                    <Table.Tr key={row}>
                      <Table.Td>{id ?? `#${row}`}</Table.Td>
                      <Table.Td>{of(trueLabels)}</Table.Td>
                      <Table.Td>{of(baseLabels)}</Table.Td>
                      <Table.Td className="numbers">
                        <Value value={baseConfidence} />
                      </Table.Td>
                      <Table.Td>{of(labels)}</Table.Td>
                      <Table.Td className="numbers">
                        <Value value={confidence} />
                      </Table.Td>
                    </Table.Tr>
                  ))}
                </Table.Tbody>
              </WideTable>
              {hasNextPage && (
                <Button
                  size="xs"
                  variant="default"
                  onClick={() => setAfter(nodes.at(-1)!.row)}
                  style={{ alignSelf: 'flex-start' }}
                >
                  Next
                </Button>
              )}
            </>
          )
        }}
      </Loaded>
    </Section>
  )
}
