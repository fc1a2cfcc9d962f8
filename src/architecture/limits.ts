/** What an architecture may declare before anything is allocated for it. */
export interface ArchitectureLimits {
  /** Bytes of an ONNX file. Protocol buffers end at 2 GiB. */
  readonly fileBytes: number
  /** Messages inside an ONNX file: nodes, attributes, tensors, dimensions, notes. */
  readonly messages: number
  /** Numbers that an ONNX file lists one by one instead of as raw bytes. */
  readonly listedNumbers: number
  readonly nodes: number
  readonly parameters: number
  /** Elements of one parameter. */
  readonly parameterElements: number
  /** Bytes of all constants together. */
  readonly constantBytes: number
  /** Dimensions of a tensor. */
  readonly rank: number
  /** Elements of one value for one sample. */
  readonly sampleElements: number
  /** Layers of a layer list, nested ones included. */
  readonly layers: number
  /** Sequentials inside Sequentials. */
  readonly depth: number
}

/** Limits that no known model comes near. */
export const DEFAULT_ARCHITECTURE_LIMITS: ArchitectureLimits = {
  fileBytes: 2 ** 31 - 1,
  messages: 2_000_000,
  listedNumbers: 16_000_000,
  nodes: 200_000,
  parameters: 100_000,
  parameterElements: 2 ** 36,
  constantBytes: 64 * 2 ** 20,
  rank: 16,
  sampleElements: 2 ** 31,
  layers: 10_000,
  depth: 64,
}
