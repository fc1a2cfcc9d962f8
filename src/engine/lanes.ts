import type { Graph } from '../architecture/index.ts'
import { itemSize, numel } from '../tensor/index.ts'
import { chooseDevice } from './choose-device.ts'
import type { EngineOptions, Session } from './engine.ts'
import type { ThreadedEngine } from './threaded.ts'

/** More lanes gain little, and each has weights and activations of its own. */
const MOST_LANES = 4
/** Bytes that the weights of all lanes of a session may take together; a larger model has one lane with all threads. */
const LANES_WEIGHT_BYTES = 512 * 2 ** 20

/**
 * An engine whose sessions on the processor execute several batches at a time, each in a thread with few threads of its own, instead of
 * one batch with all of them: threads that share an operator wait for each other at its end, and one that the operating system delays
 * delays them all. Other devices have one lane.
 * @param open starts a lane. The first one starts at once, others when the first session needs them.
 */
export async function lanedEngine(open: () => Promise<ThreadedEngine>): Promise<ThreadedEngine> {
  const first = await open()
  const engines = [first]
  let growing = Promise.resolve()
  const grow = (count: number): Promise<void> => {
    // One after the other, also when two sessions are loaded at once; after a failure the next session tries again.
    growing = growing
      .catch(() => undefined)
      .then(async () => {
        while (engines.length < count) engines.push(await open())
      })
    return growing
  }

  return {
    name: first.name,
    version: first.version,
    lacks: first.lacks,
    async devices() {
      // A lane that has ended makes this fail, whichever it is; else one looks for all.
      for (const engine of engines) if (!engine.alive()) await engine.devices()
      return first.devices()
    },
    async load(graph, parameters, device, options) {
      const id = device === 'auto' ? chooseDevice(device, await first.devices()).id : device
      const count = id === 'cpu' ? laneCount(graph, options) : 1
      await grow(count)
      const threads = Math.max(1, Math.floor(options.threads / count))
      const loading = engines
        .slice(0, count)
        .map((engine) => engine.load(graph, parameters, id, { ...options, threads }))
      return joined(await allOrNone(loading))
    },
    async [Symbol.asyncDispose]() {
      await growing.catch(() => undefined)
      await Promise.all(engines.map((engine) => engine[Symbol.asyncDispose]()))
    },
    alive: () => engines.some((engine) => engine.alive()),
  }
}

/** How many lanes a session gets. */
export function laneCount(graph: Graph, { threads }: EngineOptions): number {
  const weights = graph.parameters.reduce((sum, { shape, dtype }) => sum + numel(shape) * itemSize(dtype), 0)
  return Math.max(1, Math.min(threads, MOST_LANES, Math.floor(LANES_WEIGHT_BYTES / Math.max(1, weights))))
}

/** One session over several: a batch goes to the lane that has the fewest. */
function joined(sessions: readonly Session[]): Session {
  const waiting = sessions.map(() => 0)
  return {
    lanes: sessions.length,
    async run(inputs) {
      const index = waiting.indexOf(Math.min(...waiting))
      waiting[index]!++
      try {
        return await sessions[index]!.run(inputs)
      } finally {
        waiting[index]!--
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(sessions.map((session) => session[Symbol.asyncDispose]()))
    },
  }
}

/** The sessions when all of them were loaded; else none is kept. */
async function allOrNone(loading: readonly Promise<Session>[]): Promise<readonly Session[]> {
  try {
    return await Promise.all(loading)
  } catch (error) {
    for (const result of await Promise.allSettled(loading))
      if (result.status === 'fulfilled') await result.value[Symbol.asyncDispose]()
    throw error
  }
}
