import type { GraphProto, ModelProto, NodeProto, StringStringEntryProto } from './onnx_pb.ts'

/** What the exporter of PyTorch (dynamo=True) noted of one tensor of the module. Source: torch.export, ExportGraphSignature. */
export interface ExportedTensor {
  /** Its name inside the exported program: p_fc_weight. */
  readonly symbol: string
  readonly kind: string
  /** Its name in the module: fc.weight. */
  readonly key: string
  /** Whether a state_dict holds it: parameters and persistent buffers. */
  readonly inStateDict: boolean
}

const SIGNATURE_KEY = 'pkg.torch.export.ExportedProgram.graph_signature'
// Inputs only: the same tensor is named again where the program writes to it, as BUFFER_MUTATION.
const LINE = /^(\w+): (PARAMETER|BUFFER|CONSTANT_TENSOR) target='([^']*)'(?: persistent=(True|False))?$/

/** The tensors of the exported module by their names in it; null where the file does not say. */
export function exportedTensors(model: ModelProto, graph: GraphProto): ReadonlyMap<string, ExportedTensor> | null {
  const text = note(graph.metadataProps, SIGNATURE_KEY) ?? note(model.metadataProps, SIGNATURE_KEY)
  const tensors = new Map<string, ExportedTensor>()
  for (const line of text?.split('\n') ?? []) {
    const [, symbol = '', kind = '', key = '', persistent] = LINE.exec(line) ?? []
    if (key !== '')
      tensors.set(key, {
        symbol,
        kind,
        key,
        inStateDict: kind === 'PARAMETER' || (kind === 'BUFFER' && persistent === 'True'),
      })
  }
  return tensors.size > 0 ? tensors : null
}

/** The module that a node was traced in, `encoder.layers.0`; null where the file does not say. */
export function moduleOf(node: NodeProto): string | null {
  // "['', 'encoder', 'encoder.layers.0', 'linear']": the last is the call itself.
  const scopes = note(node.metadataProps, 'pkg.torch.onnx.name_scopes')?.match(/'[^']*'/g)
  return scopes && scopes.length > 1 ? scopes.at(-2)!.slice(1, -1) : null
}

/** Whether the exporter's call that became this node read the tensor of that symbol. */
export function mentions(node: NodeProto, symbol: string): boolean {
  const call = note(node.metadataProps, 'pkg.torch.onnx.fx_node') ?? ''
  const at = call.indexOf(`%${symbol}`)
  return at >= 0 && !/\w/.test(call.charAt(at + symbol.length + 1))
}

const note = (notes: readonly StringStringEntryProto[], key: string): string | undefined =>
  notes.find((entry) => entry.key === key)?.value
