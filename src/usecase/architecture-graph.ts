import { decodeGraph, type Graph } from '../architecture/index.ts'
import type { ArchitectureRow } from '../store/index.ts'

/** The graph of an architecture, as the row keeps it. */
export const architectureGraph = ({ graph }: Pick<ArchitectureRow, 'graph'>): Graph => decodeGraph(graph)

/** What PyTorch would call the model's class in its messages: a layer list is an nn.Sequential; an ONNX file does not say. */
export const className = ({ source }: Pick<ArchitectureRow, 'source'>, modelName: string): string =>
  source === 'LAYERS' ? 'Sequential' : modelName
