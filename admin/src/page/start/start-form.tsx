import { useMutation, useQuery } from '@apollo/client/react'
import {
  Alert,
  Button,
  Checkbox,
  Group,
  NumberInput,
  Select,
  SimpleGrid,
  Stack,
  TagsInput,
  Text,
  TextInput,
} from '@mantine/core'
import { useState } from 'react'
import { useNavigate } from 'react-router'
import { BindingPanel } from '../../component/binding-panel.tsx'
import { DatasetSelect } from '../../component/dataset-select.tsx'
import { Loaded, Refusal, Section } from '../../component/state.tsx'
import {
  BindCheckpointDocument,
  OperatorsOfDocument,
  StartRunDocument,
  type CheckpointChoiceFragment,
  type EngineChoice,
  type KeyMappingInput,
  type StartChoicesQuery,
} from '../../generated/graphql.ts'
import { deviceChoices, engineChoices } from './able-devices.ts'
import { useCheckpointChoices, useDatasetChoices } from '../../component/use-choices.ts'

/** What to evaluate, on what, where; the rest has defaults. */
export function StartForm({
  choices,
  search,
}: {
  readonly choices: StartChoicesQuery
  readonly search: URLSearchParams
}) {
  const navigate = useNavigate()
  const { checkpoints, datasets, devices } = choices
  const [checkpointId, setCheckpoint] = useState(search.get('checkpoint') ?? checkpoints.nodes[0]!.id)
  const [datasetId, setDataset] = useState(search.get('dataset') ?? datasets.nodes[0]!.id)
  const [device, setDevice] = useState('auto')
  const [engine, setEngine] = useState<EngineChoice>('AUTO')
  const [name, setName] = useState('')
  const [slices, setSlices] = useState<readonly string[]>([])
  const [batchSize, setBatchSize] = useState<number | ''>('')
  const [threshold, setThreshold] = useState<number | ''>(0.5)
  const [keepSamples, setKeepSamples] = useState(true)
  const [mapping, setMapping] = useState<KeyMappingInput | null>(mappingOf(search))
  const [strict, setStrict] = useState(search.get('strict') !== 'no')
  const [problem, setProblem] = useState<string | null>(null)
  const [start, { loading }] = useMutation(StartRunDocument)
  const binding = useQuery(BindCheckpointDocument, { variables: { id: checkpointId, strict, keyMapping: mapping } })

  const operators = useQuery(OperatorsOfDocument, { variables: { checkpointId } })
  const needed = operators.data?.checkpoint?.model.architecture.operators ?? []
  const weights = useCheckpointChoices(checkpoints.nodes, checkpointId)
  const data = useDatasetChoices(datasets.nodes, datasetId)
  const task = weights.chosen?.model.task
  const slicing = (data.chosen?.columns ?? [])
    .filter(({ role }) => role !== 'ID' && role !== 'WEIGHT')
    .map((column) => column.name)
  const fits = binding.data?.bindCheckpoint.ok === true

  const submit = async (): Promise<void> => {
    setProblem(null)
    try {
      const answer = await start({
        variables: {
          input: {
            checkpointId,
            datasetId,
            device,
            engine,
            strict,
            ...(name === '' ? {} : { name }),
            ...(batchSize === '' ? {} : { batchSize }),
            ...(threshold === '' ? {} : { threshold }),
            ...(slices.length === 0 ? {} : { slices }),
            ...(keepSamples ? {} : { keepSamples: false }),
            ...(mapping === null ? {} : { keyMapping: mapping }),
          },
        },
      })
      const { run, errors } = answer.data!.startRun
      if (run === null) setProblem(errors.map(({ message }) => message).join('\n'))
      else void navigate(`/runs/${run.id}`)
    } catch (error) {
      setProblem((error as Error).message)
    }
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        void submit()
      }}
    >
      <Stack>
        <Section title="What, and on what">
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            <Select
              label="Checkpoint"
              searchable
              allowDeselect={false}
              value={checkpointId}
              data={grouped(weights.choices)}
              onSearchChange={weights.onSearch}
              onChange={(value) => {
                setCheckpoint(value!)
                setMapping(null)
                setStrict(true)
              }}
            />
            <DatasetSelect choices={data} value={datasetId} onChange={setDataset} />
          </SimpleGrid>
          {mapping !== null && (
            <Alert color="blue" role="status" title="With a fix of the keys">
              {[
                mapping.stripPrefix == null ? '' : `“${mapping.stripPrefix}” is taken off`,
                ...(mapping.renamePrefixes ?? []).map(({ from, to }) => `“${from}” becomes “${to}”`),
                mapping.addPrefix == null ? '' : `“${mapping.addPrefix}” is put before`,
              ]
                .filter(Boolean)
                .join(', ')}
              .
            </Alert>
          )}
          <Loaded query={binding}>
            {({ bindCheckpoint }) => <BindingPanel checkpointId={checkpointId} binding={bindCheckpoint} />}
          </Loaded>
        </Section>
        <Section title="Where and how">
          <SimpleGrid cols={{ base: 1, sm: 2, md: 4 }}>
            <Select
              label="Device"
              allowDeselect={false}
              value={device}
              onChange={(value) => setDevice(value!)}
              data={[{ value: 'auto', label: 'auto' }, ...deviceChoices(devices, needed)]}
            />
            <Select
              label="Engine"
              allowDeselect={false}
              value={engine}
              onChange={(value) => setEngine(value as EngineChoice)}
              data={[{ value: 'AUTO', label: 'auto' }, ...engineChoices(devices, device, needed)]}
            />
            <NumberInput
              label="Batch size"
              placeholder="what suits"
              min={1}
              allowDecimal={false}
              value={batchSize}
              onChange={(value) => setBatchSize(typeof value === 'number' ? value : '')}
            />
            {(task === 'BINARY' || task === 'MULTILABEL') && (
              <NumberInput
                label="Threshold"
                min={0}
                max={1}
                step={0.05}
                value={threshold}
                onChange={(value) => setThreshold(typeof value === 'number' ? value : '')}
              />
            )}
            <TextInput
              label="Name"
              placeholder="none"
              value={name}
              onChange={({ currentTarget }) => setName(currentTarget.value)}
            />
          </SimpleGrid>
          <Group align="flex-end">
            <TagsInput
              label="Slices"
              description="columns, or age:10 for ten ranges"
              data={slicing}
              value={[...slices]}
              onChange={setSlices}
              miw={240}
            />
            <Checkbox
              label="Keep what it says of each sample, where that is not too much"
              checked={keepSamples}
              onChange={({ currentTarget }) => setKeepSamples(currentTarget.checked)}
            />
          </Group>
        </Section>
        {devices.length === 0 && (
          <Alert color="orange" role="status" title="No worker is alive">
            The run will wait until there is one.
          </Alert>
        )}
        {problem !== null && <Refusal title="The run was not started">{problem}</Refusal>}
        <Group>
          <Button type="submit" loading={loading} disabled={!fits}>
            Start the run
          </Button>
          {!fits && binding.data !== undefined && <Text size="sm">The checkpoint has to fit first.</Text>}
        </Group>
      </Stack>
    </form>
  )
}

function grouped(checkpoints: readonly CheckpointChoiceFragment[]) {
  const models = [...new Set(checkpoints.map(({ model }) => model.name))]
  return models.map((group) => ({
    group,
    items: checkpoints.filter(({ model }) => model.name === group).map(({ id, name }) => ({ value: id, label: name })),
  }))
}

/** The change of keys that the address asks for (component/binding-panel.tsx). */
function mappingOf(search: URLSearchParams): KeyMappingInput | null {
  const [stripPrefix, addPrefix, renames] = [search.get('strip'), search.get('add'), search.getAll('rename')]
  if (stripPrefix === null && addPrefix === null && renames.length === 0) return null
  return {
    ...(stripPrefix === null ? {} : { stripPrefix }),
    ...(addPrefix === null ? {} : { addPrefix }),
    ...(renames.length === 0
      ? {}
      : {
          renamePrefixes: renames.map((text) => ({
            from: text.slice(0, text.indexOf('=')),
            to: text.slice(text.indexOf('=') + 1),
          })),
        }),
  }
}
