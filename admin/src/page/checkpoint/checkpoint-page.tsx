import { useMutation, useQuery } from '@apollo/client/react'
import { Alert, Anchor, Button, Stack, Table, Tabs, Text } from '@mantine/core'
import { lazy, Suspense, type ReactNode } from 'react'
import { Link, useParams, useSearchParams } from 'react-router'
import { BindingPanel } from '../../component/binding-panel.tsx'
import { DeleteButton } from '../../component/delete-button.tsx'
import { bytes } from '../../component/format.ts'
import { PageTitle } from '../../component/page-title.tsx'
import { RunList } from '../../component/run-list.tsx'
import { Failure, Loaded, Loading, Section } from '../../component/state.tsx'
import { Hash, Moment } from '../../component/text.tsx'
import { VerifyButton } from '../../component/verify-button.tsx'
import {
  CheckpointPageDocument,
  DeleteCheckpointDocument,
  VerifyCheckpointDocument,
  type CheckpointPageQuery,
} from '../../generated/graphql.ts'
import { DownloadPanel } from './download-panel.tsx'

const Tensors = lazy(async () => ({ default: (await import('./tensors.tsx')).Tensors }))
const TryIt = lazy(async () => ({ default: (await import('./try-it.tsx')).TryIt }))
const Values = lazy(async () => ({ default: (await import('./values.tsx')).Values }))

/** A checkpoint: how it fits, what is in it, and as a file. */
export function CheckpointPage() {
  const { id = '' } = useParams()
  const query = useQuery(CheckpointPageDocument, { variables: { id } })
  return (
    <Loaded query={query}>
      {({ checkpoint }) =>
        checkpoint === null ? (
          <Failure error={new Error('There is no such checkpoint.')} />
        ) : (
          <Checkpoint key={id} checkpoint={checkpoint} />
        )
      }
    </Loaded>
  )
}

function Checkpoint({ checkpoint }: { readonly checkpoint: NonNullable<CheckpointPageQuery['checkpoint']> }) {
  const [search, setSearch] = useSearchParams()
  const { id, name, model, binding, warnings } = checkpoint
  const [remove] = useMutation(DeleteCheckpointDocument)
  const [verify] = useMutation(VerifyCheckpointDocument)
  return (
    <Stack gap="sm">
      <PageTitle title={name}>
        <Button size="xs" component={Link} to={`/start?checkpoint=${id}`}>
          Evaluate it
        </Button>
        <DeleteButton
          of={{ __typename: 'Checkpoint', id }}
          question="Delete this checkpoint and its runs, for good?"
          remove={async () =>
            (await remove({ variables: { id, deleteRuns: true } })).data?.deleteCheckpoint.errors ?? []
          }
          then={`/models/${model.id}`}
        />
      </PageTitle>
      <Text size="sm">
        Of{' '}
        <Anchor component={Link} to={`/models/${model.id}`} inherit>
          {model.name}
        </Anchor>
        , imported <Moment at={checkpoint.createdAt} />
      </Text>
      {warnings.map((warning) => (
        <Alert key={warning} color="orange" title="Warning">
          {warning}
        </Alert>
      ))}
      <Tabs
        value={search.get('tab') ?? 'overview'}
        onChange={(tab) => setSearch(tab === 'overview' || tab === null ? {} : { tab }, { replace: true })}
        keepMounted={false}
      >
        <Tabs.List mb="md">
          <Tabs.Tab value="overview">Overview</Tabs.Tab>
          <Tabs.Tab value="tensors">Tensors</Tabs.Tab>
          <Tabs.Tab value="values">Everything in the file</Tabs.Tab>
          <Tabs.Tab value="try">Try it</Tabs.Tab>
          <Tabs.Tab value="download">Download</Tabs.Tab>
        </Tabs.List>
        <Suspense fallback={<Loading />}>
          <Tabs.Panel value="overview">
            <Stack>
              <Section title="How it fits the model">
                <BindingPanel checkpointId={id} binding={binding} />
              </Section>
              <Facts checkpoint={checkpoint} />
              <VerifyButton
                verify={async (after) => (await verify({ variables: { id, after } })).data!.verifyCheckpoint}
              />
              <Section title="Last runs">
                <RunList runs={checkpoint.runs.nodes} all={`/runs?checkpoint=${id}`} />
              </Section>
            </Stack>
          </Tabs.Panel>
          <Tabs.Panel value="tensors">
            <Tensors id={id} />
          </Tabs.Panel>
          <Tabs.Panel value="values">
            <Values id={id} />
          </Tabs.Panel>
          <Tabs.Panel value="try">
            <TryIt id={id} />
          </Tabs.Panel>
          <Tabs.Panel value="download">
            <DownloadPanel id={id} locations={checkpoint.locations} proposals={binding.proposals} />
          </Tabs.Panel>
        </Suspense>
      </Tabs>
    </Stack>
  )
}

function Facts({ checkpoint: c }: { readonly checkpoint: NonNullable<CheckpointPageQuery['checkpoint']> }) {
  const facts: readonly (readonly [string, ReactNode])[] = [
    ['File', `${c.fileName}, ${bytes(c.fileBytes)}, ${c.format.toLowerCase().replaceAll('_', ' ')}`],
    ['SHA-256', <Hash key="hash" value={c.fileSha256} />],
    ['state_dict', c.stateDictPath.length === 0 ? 'the whole file' : c.stateDictPath.join(' → ')],
    ['Saved from', c.locations.join(', ') || '—'],
    [
      'Storage',
      `${bytes(c.storage.logicalBytes)}, of which ${bytes(c.storage.uniqueBytes)} are its own and ${bytes(c.storage.sharedBytes)} shared with others`,
    ],
    ['Globals in the pickle', c.globals.map((global) => `${global.module}.${global.name}`).join(', ') || 'none'],
    ['Statistics', c.statisticsError?.message ?? c.statisticsStatus.toLowerCase()],
    ['Id', c.id],
  ]
  return (
    <Section title="The file">
      <Table layout="fixed" verticalSpacing={4}>
        <Table.Tbody>
          {facts.map(([name, value]) => (
            <Table.Tr key={name}>
              <Table.Th w="30%" scope="row">
                {name}
              </Table.Th>
              <Table.Td style={{ overflowWrap: 'anywhere' }}>{value}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Section>
  )
}
