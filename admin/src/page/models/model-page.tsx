import { useMutation, useQuery } from '@apollo/client/react'
import { Stack, Tabs, Text } from '@mantine/core'
import { lazy, Suspense } from 'react'
import { useParams, useSearchParams } from 'react-router'
import { headline } from '../../api/run-task.ts'
import { DeleteButton } from '../../component/delete-button.tsx'
import { bytes, count } from '../../component/format.ts'
import { PageTitle } from '../../component/page-title.tsx'
import { RunList } from '../../component/run-list.tsx'
import { Sparkline } from '../../component/sparkline.tsx'
import { Failure, Loaded, Loading, Section } from '../../component/state.tsx'
import { DeleteModelDocument, ModelPageDocument, type ModelPageQuery } from '../../generated/graphql.ts'
import { Checkpoints } from './checkpoints.tsx'

const Architecture = lazy(async () => ({ default: (await import('./architecture.tsx')).Architecture }))

/** A model: its checkpoints, its architecture, its runs. */
export function ModelPage() {
  const { id = '' } = useParams()
  const query = useQuery(ModelPageDocument, { variables: { id } })
  return (
    <Loaded query={query}>
      {({ model }) =>
        model === null ? <Failure error={new Error('There is no such model.')} /> : <Model model={model} />
      }
    </Loaded>
  )
}

function Model({ model }: { readonly model: NonNullable<ModelPageQuery['model']> }) {
  const [search, setSearch] = useSearchParams()
  const [remove] = useMutation(DeleteModelDocument)
  const values = model.runs.nodes
    .flatMap(({ summary }) => summary.find(({ name }) => name === headline(model.task))?.value ?? [])
    .reverse()
  return (
    <Stack gap="sm">
      <PageTitle title={model.name}>
        {values.length > 1 && (
          <Sparkline
            values={values}
            label={`${headline(model.task) === 'f1' ? 'F1' : 'R²'} of its last ${values.length} runs`}
            width={180}
          />
        )}
        <DeleteButton
          of={{ __typename: 'Model', id: model.id }}
          question="Delete this model with all its checkpoints and runs, for good?"
          remove={async () => (await remove({ variables: { id: model.id } })).data?.deleteModel.errors ?? []}
          then="/models"
        />
      </PageTitle>
      <Text size="sm">
        {model.description !== null && `${model.description} · `}
        {model.task.toLowerCase()}
        {model.classes.length > 0 &&
          ` of ${model.classes.length <= 12 ? model.classes.join(', ') : `${model.classes.length} classes`}`}{' '}
        · {count(model.architecture.parameterCount)} parameters · {bytes(model.storage.logicalBytes)} of weights,{' '}
        {bytes(model.storage.uniqueBytes)} of them its own
      </Text>
      <Tabs
        value={search.get('tab') ?? 'checkpoints'}
        onChange={(tab) => setSearch(tab === 'checkpoints' || tab === null ? {} : { tab }, { replace: true })}
        keepMounted={false}
      >
        <Tabs.List mb="md">
          <Tabs.Tab value="checkpoints">Checkpoints</Tabs.Tab>
          <Tabs.Tab value="architecture">Architecture</Tabs.Tab>
          <Tabs.Tab value="runs">Runs</Tabs.Tab>
        </Tabs.List>
        <Suspense fallback={<Loading />}>
          <Tabs.Panel value="checkpoints">
            <Checkpoints modelId={model.id} />
          </Tabs.Panel>
          <Tabs.Panel value="architecture">
            <Architecture modelId={model.id} />
          </Tabs.Panel>
          <Tabs.Panel value="runs">
            <Section title="Last runs">
              <RunList runs={model.runs.nodes} all={`/runs?model=${model.id}`} />
            </Section>
          </Tabs.Panel>
        </Suspense>
      </Tabs>
    </Stack>
  )
}
