import type { Graph } from '../architecture/index.ts'
import type { DType, Shape, TensorMap } from '../tensor/index.ts'

/** The engines that there are. */
export type EngineName = 'onnxruntime' | 'tensorflow'

/** Something that a graph can be executed on, named as PyTorch names devices: `cpu`, `cuda:0`; or `webgpu`. */
export interface Device {
  readonly id: string
  /** For people: the processor's or the graphics card's name. */
  readonly description: string
  /** Bytes of memory of the device, where it is known. */
  readonly memoryBytes: number | null
}

/**
 * The values of one parameter, dense and row-major, little-endian, in a file. Weights do not pass through JavaScript when
 * the file already holds the parameter's own dtype.
 */
export interface ParameterData {
  readonly dtype: DType
  readonly shape: Shape
  /** Absolute path. */
  readonly path: string
  /** Bytes from the start of the file. */
  readonly offset: number
  readonly length: number
}

/** Parameter name of the graph → its values. Holds every non-optional parameter. */
export type ParameterSource = ReadonlyMap<string, ParameterData>

/** Settings that change speed and not results. */
export interface EngineOptions {
  /** Threads inside one operation. */
  readonly threads: number
}

/** Loads graphs on devices. The contract has no gradient anywhere in it, and nothing above it knows which engine it holds. */
export interface Engine {
  readonly name: EngineName
  /** Version of the library, for the run's record. */
  readonly version: string
  devices(): Promise<readonly Device[]>
  /**
   * A session in evaluation mode.
   * @throws AppError ENGINE_FAILED, DEVICE_UNAVAILABLE.
   */
  load(graph: Graph, parameters: ParameterSource, device: string, options: EngineOptions): Promise<Session>
}

/** A graph bound to weights on a device. Forward only: it records no gradient and keeps no tensor after `run`. */
export interface Session extends AsyncDisposable {
  /** Inputs by graph input name, first dimension the batch; outputs by graph output name. */
  run(inputs: TensorMap): Promise<TensorMap>
}
