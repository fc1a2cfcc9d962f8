import { useQuery } from '@apollo/client/react'
import { Stack, Text } from '@mantine/core'
import { DataTable, type Column } from '../../component/data-table.tsx'
import { count, shape } from '../../component/format.ts'
import { Failure, Loaded, Section } from '../../component/state.tsx'
import { Hash } from '../../component/text.tsx'
import { ModelGraphDocument, type ModelGraphQuery } from '../../generated/graphql.ts'
import { ArchitectureGraph } from './architecture-graph.tsx'

type Graph = NonNullable<ModelGraphQuery['model']>['architecture']
type Node = Graph['nodes'][number]
type Parameter = Graph['parameters'][number]

const NODE_COLUMNS: readonly Column<Node>[] = [
  {
    id: 'name',
    header: 'Operation',
    width: 'minmax(120px, 2fr)',
    cell: ({ name }) => name,
    sortBy: ({ name }) => name,
  },
  { id: 'op', header: 'Operator', width: 'minmax(90px, 1fr)', cell: ({ op }) => op, sortBy: ({ op }) => op },
  {
    id: 'shape',
    header: 'Output',
    width: 'minmax(90px, 1fr)',
    from: 420,
    cell: ({ outputShape }) => shape(outputShape),
  },
  {
    id: 'parameters',
    header: 'Parameters',
    width: '110px',
    numeric: true,
    cell: ({ parameterCount }) => count(parameterCount),
    sortBy: ({ parameterCount }) => parameterCount,
  },
  { id: 'inputs', header: 'From', width: 'minmax(120px, 2fr)', from: 700, cell: ({ inputs }) => inputs.join(', ') },
]

const PARAMETER_COLUMNS: readonly Column<Parameter>[] = [
  {
    id: 'key',
    header: 'state_dict key',
    width: 'minmax(140px, 3fr)',
    cell: ({ keys }) => keys.join(' = '),
    sortBy: ({ keys }) => keys[0]!,
  },
  { id: 'dtype', header: 'dtype', width: '100px', from: 480, cell: ({ dtype }) => dtype },
  { id: 'shape', header: 'Shape', width: 'minmax(100px, 1fr)', cell: (parameter) => shape(parameter.shape) },
  { id: 'optional', header: 'Needed', width: '100px', from: 560, cell: ({ optional }) => (optional ? 'no' : 'yes') },
]

/** The graph of a model: drawn, and as tables. */
export function Architecture({ modelId }: { readonly modelId: string }) {
  const query = useQuery(ModelGraphDocument, { variables: { id: modelId } })
  return (
    <Loaded query={query}>
      {({ model }) =>
        model === null ? (
          <Failure error={new Error('There is no such model.')} />
        ) : (
          <Stack>
            <Text size="sm">
              Made from {model.architecture.source === 'ONNX' ? 'an ONNX file' : 'a list of layers'} ·{' '}
              {count(model.architecture.parameterCount)} parameters · {count(model.architecture.nodes.length)}{' '}
              operations · takes{' '}
              {model.architecture.inputs.map((input) => `${input.name} ${input.dtype}${shape(input.shape)}`).join(', ')}{' '}
              · gives {model.architecture.outputs.map((output) => `${output.dtype}${shape(output.shape)}`).join(', ')} ·{' '}
              <Hash value={model.architecture.sha256} />
            </Text>
            <Section title="Graph">
              <ArchitectureGraph graph={model.architecture} />
            </Section>
            <Section title="Operations">
              <DataTable
                label="Operations"
                rows={model.architecture.nodes}
                keyOf={({ name }) => name}
                columns={NODE_COLUMNS}
                rowHeight={32}
              />
            </Section>
            <Section title="Parameters">
              <DataTable
                label="Parameters"
                rows={model.architecture.parameters}
                keyOf={({ keys }) => keys[0]!}
                columns={PARAMETER_COLUMNS}
                rowHeight={32}
              />
            </Section>
          </Stack>
        )
      }
    </Loaded>
  )
}
