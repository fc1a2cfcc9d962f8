import { Anchor, Table, Text } from '@mantine/core'
import { Link } from 'react-router'
import { headline } from '../api/run-task.ts'
import type { RunRowFragment } from '../generated/graphql.ts'
import { Moment, Status, Value } from './text.tsx'
import { WideTable } from './wide-table.tsx'

/** The last runs of something. */
export function RunList({ runs, all }: { readonly runs: readonly RunRowFragment[]; readonly all: string }) {
  if (runs.length === 0) return <Text size="sm">There are none yet.</Text>
  return (
    <>
      <WideTable label="Last runs" minWidth={480}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Run</Table.Th>
            <Table.Th>Status</Table.Th>
            <Table.Th>On</Table.Th>
            <Table.Th className="numbers">F1 or R²</Table.Th>
            <Table.Th>Started</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {runs.slice(0, 10).map((run) => (
            <Table.Tr key={run.id}>
              <Table.Td>
                <Anchor component={Link} to={`/runs/${run.id}`} size="sm">
                  {run.name ?? run.id.slice(-12)}
                </Anchor>
              </Table.Td>
              <Table.Td>
                <Status status={run.status} />
              </Table.Td>
              <Table.Td>
                {run.dataset.name} v{run.dataset.version}
              </Table.Td>
              <Table.Td className="numbers">
                <Value value={run.summary.find(({ name }) => name === headline(run.model.task))?.value} />
              </Table.Td>
              <Table.Td>
                <Moment at={run.createdAt} />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </WideTable>
      <Anchor component={Link} to={all} size="sm">
        All of them
      </Anchor>
    </>
  )
}
