import type { Graph } from '../../architecture/index.ts'
import { AppError } from '../../error.ts'
import type { Shape, Tensor, TensorMap } from '../../tensor/index.ts'
import type { ParameterSource, RunResult, Session } from '../engine.ts'
import { boundTensors, checkParameters } from './bound-tensors.ts'
import { fromTf, toTf } from './element-type.ts'
import { engineError } from './engine-error.ts'
import type { Library } from './library.ts'
import { compileProgram, type Program } from './program.ts'

/** Batches come in one size, and the last one in another; a prediction may have any. */
const MAX_PROGRAMS = 8

/** A graph bound to weights, behind the engine contract. */
export async function createSession(
  { tf, reports }: Library,
  graph: Graph,
  parameters: ParameterSource,
): Promise<Session> {
  const weights = boundTensors(tf)
  const programs = new Map<string, Program>()
  let released = false

  // Everything can be made again, from the files of the weights.
  const forget = (): void => {
    for (const program of programs.values()) program.dispose()
    programs.clear()
    weights.dispose()
  }
  const programFor = (shapes: ReadonlyMap<string, Shape>): Program => {
    const key = [...shapes].map(([name, shape]) => `${name}:${shape.join()}`).join(' ')
    const program = programs.get(key) ?? compileProgram(tf, graph, shapes, parameters, weights)
    // The one used last is the last.
    programs.delete(key)
    programs.set(key, program)
    for (const [oldest, old] of programs) {
      if (programs.size <= MAX_PROGRAMS) break
      programs.delete(oldest)
      old.dispose()
    }
    return program
  }

  try {
    checkParameters(graph, parameters)
    const sample = sampleShapes(graph)
    // So that weights are read and refusals are made now, and not with the first batch.
    if (sample) await reports.during(() => Promise.resolve().then(() => programFor(sample)), forget)
  } catch (error) {
    forget()
    throw engineError('loading the graph', error)
  }

  return {
    lanes: 1,
    async run(inputs) {
      if (released) throw new AppError('ENGINE_FAILED', 'tensorflow: the session is released')
      try {
        const shapes = checkInputs(graph, inputs)
        return await reports.during(() => compute(shapes, inputs), forget)
      } catch (error) {
        throw engineError('running a batch', error)
      }
    },
    [Symbol.asyncDispose]() {
      if (!released) forget()
      released = true
      return Promise.resolve()
    },
  }

  async function compute(shapes: ReadonlyMap<string, Shape>, inputs: TensorMap): Promise<RunResult> {
    const program = programFor(shapes)
    const results = tf.tidy(
      () =>
        program.run(
          new Map(graph.inputs.map(({ name }) => [name, toTf(tf, `input ${name}`, inputs.get(name)!)])),
        ) as never,
    ) as ReturnType<Program['run']>
    try {
      const outputs = new Map<string, Tensor>()
      for (const [i, { name, dtype }] of graph.outputs.entries()) {
        const data = await results[i]!.data<'float32'>()
        outputs.set(name, fromTf(dtype, results[i]!.shape, ownArray(data, inputs)))
      }
      return { outputs, inputs }
    } finally {
      for (const result of results) result.dispose()
    }
  }
}

/** The shapes of one sample, where nothing but the batch is open. */
function sampleShapes(graph: Graph): ReadonlyMap<string, Shape> | null {
  const shapes = new Map<string, Shape>()
  for (const { name, shape } of graph.inputs) {
    const sizes = shape.map((size, axis) => (axis === 0 && typeof size === 'string' ? 1 : size))
    if (!sizes.every((size) => typeof size === 'number')) return null
    shapes.set(name, sizes)
  }
  return shapes
}

/** The shapes of the inputs, which have to be those of the graph. */
function checkInputs(graph: Graph, inputs: TensorMap): ReadonlyMap<string, Shape> {
  const shapes = new Map<string, Shape>()
  const sizes = new Map<string, number>()
  for (const { name, dtype, shape } of graph.inputs) {
    const given = inputs.get(name)
    if (!given) throw new AppError('ENGINE_FAILED', `tensorflow: the input ${name} is missing`)
    const fits =
      given.dtype === dtype &&
      given.shape.length === shape.length &&
      shape.every((size, axis) => {
        const found = given.shape[axis]!
        if (typeof size === 'number') return found === size
        if (!sizes.has(size)) sizes.set(size, found)
        return sizes.get(size) === found
      })
    if (!fits)
      throw new AppError(
        'ENGINE_FAILED',
        `tensorflow: the input ${name} is ${given.dtype} [${given.shape.join(', ')}], the graph has ${dtype} [${shape.join(', ')}]`,
      )
    shapes.set(name, given.shape)
  }
  return shapes
}

/** A result whose memory is not that of an input: values that no operation touched are handed through without a copy. */
function ownArray<T extends Float32Array>(data: T, inputs: TensorMap): T {
  const shared = [...inputs.values()].some((input) => input.data.buffer === data.buffer)
  return shared ? (data.slice() as T) : data
}
