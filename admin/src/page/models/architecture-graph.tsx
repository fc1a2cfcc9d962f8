import '@xyflow/react/dist/style.css'
import { Text, useComputedColorScheme } from '@mantine/core'
import { Graph as LayoutGraph, layout } from '@dagrejs/dagre'
import {
  Background,
  Controls,
  Handle,
  MarkerType,
  MiniMap,
  Position,
  ReactFlow,
  type Edge,
  type Node,
  type NodeProps,
} from '@xyflow/react'
import { useMemo } from 'react'
import { count, shape } from '../../component/format.ts'
import type { ModelGraphQuery } from '../../generated/graphql.ts'

type Graph = NonNullable<ModelGraphQuery['model']>['architecture']

/** What a box says. */
type Box = Node<{ readonly title: string; readonly detail: string; readonly count: string; readonly family: Family }>
type Family = 'value' | 'linear' | 'shape' | 'other'

const WIDTH = 190
const HEIGHT = 62

/** Boxes from which on nobody could read the drawing, and making it would take seconds. */
const MAX_BOXES = 1500

const COLOURS: Readonly<Record<Family, string>> = {
  value: 'var(--mantine-color-gray-6)',
  linear: 'var(--mantine-color-indigo-6)',
  shape: 'var(--mantine-color-yellow-7)',
  other: 'var(--mantine-color-teal-7)',
}

const LINEAR = /^(Conv|ConvTranspose|Gemm|MatMul|LSTM|GRU|RNN|Gather|Einsum)$/
const SHAPING =
  /^(Reshape|Transpose|Flatten|Squeeze|Unsqueeze|Concat|Slice|Split|Expand|Pad|Shape|Cast|Constant|Identity)/

/** The operations of an architecture from its inputs down, with output shapes and parameter counts; to be moved and zoomed. */
export function ArchitectureGraph({ graph }: { readonly graph: Graph }) {
  const scheme = useComputedColorScheme('light')
  const drawn = useMemo(() => (graph.nodes.length > MAX_BOXES ? null : drawing(graph)), [graph])
  if (drawn === null)
    return <Text size="sm">{count(graph.nodes.length)} operations are too many to be drawn; the table has them.</Text>
  return (
    <div
      style={{ height: 560 }}
      role="group"
      aria-label={`Graph of ${graph.nodes.length} operations; the table below has them too`}
    >
      <ReactFlow
        nodes={drawn.nodes}
        edges={drawn.edges}
        nodeTypes={TYPES}
        colorMode={scheme}
        fitView
        fitViewOptions={{ minZoom: 0.6, nodes: drawn.nodes.slice(0, 8) }}
        minZoom={0.05}
        nodesDraggable={false}
        nodesConnectable={false}
        elementsSelectable={false}
        nodesFocusable={false}
        edgesFocusable={false}
        onlyRenderVisibleElements
        proOptions={{ hideAttribution: false }}
      >
        <Background />
        <Controls showInteractive={false} />
        <MiniMap
          pannable
          zoomable
          nodeColor={({ data }) => COLOURS[(data as Box['data']).family]}
          ariaLabel="Overview of the graph"
        />
      </ReactFlow>
    </div>
  )
}

function OperationBox({ data }: NodeProps<Box>) {
  return (
    <div
      style={{
        width: WIDTH,
        height: HEIGHT,
        padding: '4px 8px',
        borderRadius: 6,
        border: '1px solid var(--mantine-color-default-border)',
        borderLeft: `5px solid ${COLOURS[data.family]}`,
        background: 'var(--mantine-color-body)',
        color: 'var(--mantine-color-text)',
        fontSize: 12,
        lineHeight: 1.35,
        overflow: 'hidden',
      }}
    >
      <Handle type="target" position={Position.Top} style={{ visibility: 'hidden' }} />
      <b>{data.title}</b>
      <div>{data.detail}</div>
      <div>{data.count}</div>
      <Handle type="source" position={Position.Bottom} style={{ visibility: 'hidden' }} />
    </div>
  )
}

const TYPES = { operation: OperationBox }

function drawing(graph: Graph): { readonly nodes: Box[]; readonly edges: Edge[] } {
  const plan = new LayoutGraph()
  plan.setGraph({ rankdir: 'TB', ranksep: 36, nodesep: 24 })
  plan.setDefaultEdgeLabel(() => ({}))
  const boxes = new Map<string, Box['data']>()
  for (const { name, dtype, shape: sizes } of graph.inputs)
    boxes.set(name, { title: name, detail: shape(sizes), count: dtype, family: 'value' })
  for (const { name, op, outputShape, parameterCount } of graph.nodes)
    boxes.set(name, {
      title: op,
      detail: shape(outputShape),
      count: parameterCount === 0 ? '' : `${count(parameterCount)} parameters`,
      family: LINEAR.test(op) ? 'linear' : SHAPING.test(op) ? 'shape' : 'other',
    })
  for (const name of boxes.keys()) plan.setNode(name, { width: WIDTH, height: HEIGHT })
  const edges = graph.nodes.flatMap(({ name, inputs }) =>
    inputs
      .filter((input) => boxes.has(input))
      .map((input) => ({
        id: `${input}→${name}`,
        source: input,
        target: name,
        style: { stroke: 'var(--mantine-color-dimmed)' },
        markerEnd: { type: MarkerType.ArrowClosed },
      })),
  )
  for (const { source, target } of edges) plan.setEdge(source, target)
  layout(plan)
  return {
    edges,
    nodes: [...boxes].map(([id, data]) => {
      const { x, y } = plan.node(id) as { readonly x: number; readonly y: number }
      return {
        id,
        type: 'operation',
        data,
        position: { x: x - WIDTH / 2, y: y - HEIGHT / 2 },
        width: WIDTH,
        height: HEIGHT,
        ariaLabel: `${data.title} ${data.detail} ${data.count}`,
      }
    }),
  }
}
