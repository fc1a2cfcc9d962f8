import { useMutation, useQuery } from '@apollo/client/react'
import { Anchor, Button, Group, Paper, SimpleGrid, Stack, Table, Text } from '@mantine/core'
import type { ReactNode } from 'react'
import { Link } from 'react-router'
import { announce } from '../../component/announce.tsx'
import { bytes, count } from '../../component/format.ts'
import { PageTitle } from '../../component/page-title.tsx'
import { RunList } from '../../component/run-list.tsx'
import { Empty, Loaded, Section } from '../../component/state.tsx'
import { Moment } from '../../component/text.tsx'
import { VerifyButton } from '../../component/verify-button.tsx'
import {
  CollectGarbageDocument,
  DeleteUploadDocument,
  SystemPageDocument,
  SystemStorageDocument,
  VerifyStoragesDocument,
  type SystemPageQuery,
} from '../../generated/graphql.ts'
import { WideTable } from '../../component/wide-table.tsx'

/** Who evaluates, what waits, what is stored. */
export function SystemPage() {
  const query = useQuery(SystemPageDocument, { pollInterval: 3000, fetchPolicy: 'cache-and-network' })
  return (
    <Stack>
      <PageTitle title="Workers and system" />
      <Loaded query={query}>
        {({ workers, queued, running }) => (
          <>
            <Section title="Queue">
              <Facts
                facts={[
                  ['Runs that wait', count(queued.totalCount)],
                  ['Runs that run', count(running.totalCount)],
                  ['Workers', count(workers.length)],
                ]}
              />
              {running.nodes.length > 0 && <RunList runs={running.nodes} all="/runs?status=RUNNING,QUEUED" />}
            </Section>
            <Section title="Workers">
              {workers.length === 0 ? (
                <Empty title="No worker is alive">
                  <Text size="sm">Runs wait until one is: `nograd worker` starts one.</Text>
                </Empty>
              ) : (
                workers.map((worker) => <Worker key={worker.id} worker={worker} />)
              )}
            </Section>
          </>
        )}
      </Loaded>
      <Storage />
    </Stack>
  )
}

const Facts = ({ facts }: { readonly facts: readonly (readonly [string, ReactNode])[] }) => (
  <SimpleGrid cols={{ base: 2, sm: 3, md: 4 }} spacing="xs">
    {facts.map(([name, value]) => (
      <Paper key={name} withBorder p="xs">
        <Text size="xs" c="dimmed">
          {name}
        </Text>
        <Text fw={700}>{value}</Text>
      </Paper>
    ))}
  </SimpleGrid>
)

const Worker = ({ worker }: { readonly worker: SystemPageQuery['workers'][number] }) => (
  <div>
    <Text size="sm">
      <b>{worker.hostname}</b>, process {worker.pid}, since <Moment at={worker.startedAt} />, last heard of{' '}
      <Moment at={worker.lastSeenAt} />
    </Text>
    <WideTable label={`Devices of ${worker.hostname} ${worker.pid}`} minWidth={520}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Device</Table.Th>
          <Table.Th>Engine</Table.Th>
          <Table.Th>Name</Table.Th>
          <Table.Th className="numbers">Memory</Table.Th>
          <Table.Th>Computes in</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {worker.devices.map(({ id, engine, version, description, memoryBytes, computeDtypes }) => (
          <Table.Tr key={`${id} ${engine}`}>
            <Table.Td>{id}</Table.Td>
            <Table.Td>
              {engine} {version}
            </Table.Td>
            <Table.Td>{description}</Table.Td>
            <Table.Td className="numbers">{bytes(memoryBytes)}</Table.Td>
            <Table.Td>{computeDtypes.join(', ').toLowerCase()}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </WideTable>
  </div>
)

function Storage() {
  const query = useQuery(SystemStorageDocument, { fetchPolicy: 'cache-and-network' })
  const [collect, collecting] = useMutation(CollectGarbageDocument)
  const [remove] = useMutation(DeleteUploadDocument)
  const [verify] = useMutation(VerifyStoragesDocument)
  const say = (error: unknown): void => announce((error as Error).message, true)
  return (
    <Loaded query={query}>
      {({ storageUsage: s, uploads }) => (
        <>
          <Section
            title="Storage"
            actions={
              <Button
                size="xs"
                variant="default"
                loading={collecting.loading}
                disabled={s.reclaimableStorages === 0}
                onClick={() => {
                  collect()
                    .then(({ data }) => {
                      const { garbage, errors } = data!.collectGarbage
                      errors.forEach(({ message }) => announce(message, true))
                      if (garbage !== null) announce(`${bytes(garbage.bytes)} in ${garbage.storages} storages removed`)
                      void query.refetch()
                    })
                    .catch(say)
                }}
              >
                Remove what nothing uses for a day
              </Button>
            }
          >
            <Facts
              facts={[
                ['Stored', bytes(s.storedBytes)],
                ['Without sharing it would be', bytes(s.logicalBytes)],
                ['Of one alone', bytes(s.uniqueBytes)],
                ['Shared', bytes(s.sharedBytes)],
                ['Used by nothing', bytes(s.reclaimableBytes)],
                ['Storages', count(s.storages)],
                ['Damaged', count(s.damagedStorages)],
              ]}
            />
            <VerifyButton verify={async (after) => (await verify({ variables: { after } })).data!.verifyStorages} />
          </Section>
          <Section title="Uploads that wait">
            {uploads.nodes.length === 0 ? (
              <Text size="sm">There are none.</Text>
            ) : (
              <WideTable label="Uploads that wait" minWidth={520}>
                <Table.Thead>
                  <Table.Tr>
                    <Table.Th>File</Table.Th>
                    <Table.Th>State</Table.Th>
                    <Table.Th className="numbers">Bytes</Table.Th>
                    <Table.Th>Kept until</Table.Th>
                    <Table.Th>What to do</Table.Th>
                  </Table.Tr>
                </Table.Thead>
                <Table.Tbody>
                  {uploads.nodes.map(({ id, fileName, status, bytes: there, length, expiresAt }) => (
                    <Table.Tr key={id}>
                      <Table.Td>{fileName}</Table.Td>
                      <Table.Td>{status.toLowerCase()}</Table.Td>
                      <Table.Td className="numbers">
                        {bytes(there)}
                        {length !== null && ` of ${bytes(length)}`}
                      </Table.Td>
                      <Table.Td>
                        <Moment at={expiresAt} />
                      </Table.Td>
                      <Table.Td>
                        <Button
                          size="compact-xs"
                          variant="default"
                          aria-label={`Throw away ${fileName}`}
                          onClick={() => {
                            remove({ variables: { id } })
                              .then(() => query.refetch())
                              .catch(say)
                          }}
                        >
                          Throw away
                        </Button>
                      </Table.Td>
                    </Table.Tr>
                  ))}
                </Table.Tbody>
              </WideTable>
            )}
          </Section>
          <Group>
            <Anchor component={Link} to="/datasets" size="sm">
              Datasets
            </Anchor>
            <Anchor component={Link} to="/models" size="sm">
              Models
            </Anchor>
          </Group>
        </>
      )}
    </Loaded>
  )
}
