import type { Graph } from '../architecture/index.ts'
import type { DType, Shape, TensorMap } from '../tensor/index.ts'

/** The engines that there are. */
export type EngineName = 'onnxruntime' | 'tensorflow'

/** What floating point is computed in: float32 everywhere; float16 where a device has units for it. */
export type ComputeDType = 'float32' | 'float16'

/** Something that a graph can be executed on, named as PyTorch names devices: `cpu`, `cuda:0`; or `webgpu`. */
export interface Device {
  readonly id: string
  /** For people: the processor's or the graphics card's name. */
  readonly description: string
  /** Bytes of memory of the device, where it is known. */
  readonly memoryBytes: number | null
  readonly computeDTypes: readonly ComputeDType[]
}

/** What an engine cannot execute of what the architecture has. */
export interface EngineLacks {
  /** Names of ONNX operators, sorted. */
  readonly operators: readonly string[]
  /** Element types of values, sorted. */
  readonly dtypes: readonly DType[]
}

/**
 * The values of one parameter, dense and row-major, little-endian, in a file. Weights do not pass through JavaScript when
 * the file already holds the parameter's own dtype.
 */
export interface ParameterData {
  readonly dtype: DType
  readonly shape: Shape
  /** Absolute path. The files of a source may lie in different folders. */
  readonly path: string
  /** Bytes from the start of the file. */
  readonly offset: number
  readonly length: number
}

/** Parameter name of the graph → its values. Holds every non-optional parameter. */
export type ParameterSource = ReadonlyMap<string, ParameterData>

/** Settings that change speed and not results. */
export interface EngineOptions {
  /** Threads that a session may use. */
  readonly threads: number
}

/** Loads graphs on devices. The contract has no gradient anywhere in it, and nothing above it knows which engine it holds. */
export interface Engine {
  readonly name: EngineName
  /** Version of the library, for the run's record. */
  readonly version: string
  /** Known before a graph is loaded. (An operator may still refuse an attribute then.) */
  readonly lacks: EngineLacks
  devices(): Promise<readonly Device[]>
  /**
   * A session in evaluation mode.
   * @throws AppError ENGINE_FAILED, DEVICE_UNAVAILABLE.
   */
  load(graph: Graph, parameters: ParameterSource, device: string, options: EngineOptions): Promise<Session>
}

/** What a module has to export to be an engine: `threadedEngine` loads it by its URL. */
export interface EngineModule {
  createEngine(): Engine | Promise<Engine>
}

/** What a batch gave. */
export interface RunResult {
  /** By graph output name. */
  readonly outputs: TensorMap
  /** What went in, for its memory to be used again; the values are not defined any more. */
  readonly inputs: TensorMap
  /** Samples that were executed at a time, where the device's memory did not hold the whole batch. */
  readonly split?: number | undefined
}

/** A graph bound to weights on a device. Forward only: it records no gradient and keeps no tensor after `run`. */
export interface Session extends AsyncDisposable {
  /** Batches that it executes at a time. */
  readonly lanes: number
  /**
   * Executes one batch: inputs by graph input name, first dimension the batch, in the graph's own dtypes. Another may be asked for while
   * one is under way: `lanes` of them are executed, the others wait.
   *
   * The memory of the inputs goes with them: the caller does not touch them until they come back in the result, perhaps as other
   * arrays. (An engine in a thread of its own moves a buffer there and back; one that holds more than its array is copied.)
   * @throws AppError ENGINE_FAILED naming the node that failed.
   */
  run(inputs: TensorMap): Promise<RunResult>
}
