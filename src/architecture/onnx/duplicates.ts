import { isInvented, type Duplicates } from './initializers.ts'
import type { GraphProto, NodeProto, TensorProto } from './onnx_pb.ts'

/**
 * The TorchScript exporter keeps one of several initializers with equal values, and puts Identity nodes, named by the
 * lost keys, in the places of the others. A model that was just initialised loses most of its names so.
 * Such an output is a tensor of the state_dict again; its node goes.
 * Source: torch/csrc/jit/passes/onnx/deduplicate_initializers.cpp.
 */
export function findDuplicates(graph: GraphProto): Duplicates {
  const initializers = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]))
  const outputs = new Set(graph.output.map(({ name }) => name))
  const duplicates = new Map<string, TensorProto>()
  for (const node of graph.node) {
    const tensor = initializers.get(node.input[0] ?? '')
    const name = node.output[0] ?? ''
    if (tensor && isMadeByExporter(node) && !isInvented(name) && !outputs.has(name)) duplicates.set(name, tensor)
  }
  return duplicates
}

// An Identity of the model itself is named after its module, /scope/Identity, or carries the notes of the newer exporter.
const isMadeByExporter = ({ opType, name, metadataProps }: NodeProto): boolean =>
  opType === 'Identity' && /^(Identity_\d+)?$/.test(name) && metadataProps.length === 0
