import { skipToken, useMutation, useQuery } from '@apollo/client/react'
import { Badge, Button, Group, Stack, Table, Text, TextInput } from '@mantine/core'
import { useState } from 'react'
import { duration, shown } from '../../component/format.ts'
import { SampleFeatures } from '../../component/sample-features.tsx'
import { DatasetSelect } from '../../component/dataset-select.tsx'
import { Empty, Loaded, Refusal } from '../../component/state.tsx'
import { WideTable } from '../../component/wide-table.tsx'
import {
  DatasetChoicesDocument,
  DatasetSamplesDocument,
  PredictDocument,
  type DatasetChoiceFragment,
  type PredictMutation,
} from '../../generated/graphql.ts'
import { useDatasetChoices } from '../../component/use-choices.ts'
import { sampleRows } from './sample-rows.ts'

type Prediction = NonNullable<PredictMutation['predict']['prediction']>

/** Probabilities of a sample that are shown. */
const MOST_CLASSES = 3

/** Asks a checkpoint about samples of a dataset. */
export function TryIt({ id }: { readonly id: string }) {
  const query = useQuery(DatasetChoicesDocument, { fetchPolicy: 'cache-and-network' })
  return (
    <Loaded query={query}>
      {({ datasets }) =>
        datasets.nodes.length === 0 ? (
          <Empty title="There is no dataset">
            <Text size="sm">Import one, and the checkpoint can be asked about its samples.</Text>
          </Empty>
        ) : (
          <Ask checkpointId={id} newest={datasets.nodes} />
        )
      }
    </Loaded>
  )
}

function Ask({
  checkpointId,
  newest,
}: {
  readonly checkpointId: string
  readonly newest: readonly DatasetChoiceFragment[]
}) {
  const [datasetId, setDataset] = useState(newest[0]!.id)
  const [text, setText] = useState(newest[0]!.rows > 1 ? `0-${Math.min(9, newest[0]!.rows - 1)}` : '0')
  const [problem, setProblem] = useState<string | null>(null)
  const [asked, setAsked] = useState<{ readonly datasetId: string; readonly prediction: Prediction } | null>(null)
  const [predict, { loading }] = useMutation(PredictDocument)
  const data = useDatasetChoices(newest, datasetId)

  const ask = async (): Promise<void> => {
    setProblem(null)
    try {
      const indices = sampleRows(text, data.chosen?.rows ?? Infinity)
      const answer = await predict({ variables: { checkpointId, datasetId, indices: [...indices] } })
      const { prediction, errors } = answer.data!.predict
      if (prediction === null) throw new Error(errors.map(({ message }) => message).join('\n'))
      setAsked({ datasetId, prediction })
    } catch (error) {
      setAsked(null)
      setProblem((error as Error).message)
    }
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        void ask()
      }}
    >
      <Stack>
        <Group align="flex-end">
          <DatasetSelect choices={data} value={datasetId} onChange={setDataset} minWidth={280} />
          <TextInput
            label="Samples"
            placeholder="0-9, 17"
            value={text}
            onChange={({ currentTarget }) => setText(currentTarget.value)}
          />
          <Button type="submit" loading={loading}>
            What does it say?
          </Button>
        </Group>
        {problem !== null && <Refusal title="It was not asked">{problem}</Refusal>}
        {asked !== null && <Answer {...asked} />}
      </Stack>
    </form>
  )
}

function Answer({ datasetId, prediction }: { readonly datasetId: string; readonly prediction: Prediction }) {
  const rows = prediction.samples.flatMap(({ row }) => row ?? [])
  const query = useQuery(DatasetSamplesDocument, rows.length === 0 ? skipToken : { variables: { id: datasetId, rows } })
  const features = new Map((query.data?.dataset?.samples ?? []).map((sample) => [sample.row, sample]))
  return (
    <>
      <Text size="sm" role="status">
        In {duration(prediction.milliseconds)} on {prediction.device} with {prediction.engine}:{' '}
        {prediction.engineReason}
        {prediction.notes.map((note) => `; ${note}`)}
      </Text>
      <WideTable label="What it says" minWidth={600}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Sample</Table.Th>
            <Table.Th>What it is</Table.Th>
            <Table.Th>What it says</Table.Th>
            <Table.Th>{prediction.classes.length > 0 ? 'Probabilities' : 'Outputs'}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {prediction.samples.map((sample, i) => (
            <Table.Tr key={i} data-row={sample.row}>
              <Table.Td>
                {sample.row}
                {features.has(sample.row!) && <SampleFeatures sample={features.get(sample.row!)!} />}
              </Table.Td>
              <Table.Td>{sample.trueLabels?.join(', ') ?? '—'}</Table.Td>
              <Table.Td>
                {sample.labels.join(', ') || '—'}{' '}
                {sample.trueLabels != null && <Verdict said={sample.labels} truth={sample.trueLabels} />}
              </Table.Td>
              <Table.Td>{strongest(sample, prediction.classes)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </WideTable>
    </>
  )
}

const Verdict = ({ said, truth }: { readonly said: readonly string[]; readonly truth: readonly string[] }) => {
  const right = [...said].sort().join('\0') === [...truth].sort().join('\0')
  return (
    <Badge size="sm" variant="light" color={right ? 'green' : 'red'} autoContrast>
      {right ? 'right' : 'wrong'}
    </Badge>
  )
}

/** The largest probabilities with their classes; outputs where there are none. */
function strongest({ probabilities, logits }: Prediction['samples'][number], classes: readonly string[]): string {
  if (probabilities == null) return logits.map((value) => (value === null ? '−∞' : shown(value))).join(', ')
  return probabilities
    .map((value, k) => ({ value, name: classes[k] ?? String(k) }))
    .sort((a, b) => b.value - a.value)
    .slice(0, MOST_CLASSES)
    .map(({ value, name }) => `${name} ${shown(value)}`)
    .join(', ')
}
