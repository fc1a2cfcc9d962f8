import type { Device, Engine } from './engine.ts'
import type { ThreadedEngine } from './threaded.ts'

/**
 * An engine that is started when the first graph is loaded.
 * @param known what it will say of itself.
 */
export function lazyEngine(
  { devices, ...known }: Pick<Engine, 'name' | 'version' | 'lacks'> & { readonly devices: readonly Device[] },
  open: () => Promise<ThreadedEngine>,
): ThreadedEngine {
  let opening: Promise<ThreadedEngine> | null = null
  let opened: ThreadedEngine | null = null
  let disposed = false
  const start = async (): Promise<ThreadedEngine> => {
    opened = await open()
    if (disposed) await opened[Symbol.asyncDispose]()
    return opened
  }
  return {
    ...known,
    // Its thread is asked, where there is one: one that has ended makes this fail.
    devices: async () => (opened === null ? devices : await opened.devices()),
    async load(graph, parameters, device, options) {
      opening ??= start().catch((error: unknown) => {
        // The next session tries again.
        opening = null
        throw error
      })
      return await (await opening).load(graph, parameters, device, options)
    },
    async [Symbol.asyncDispose]() {
      disposed = true
      await opening?.catch(() => undefined)
      await opened?.[Symbol.asyncDispose]()
    },
    alive: () => opened?.alive() ?? false,
  }
}
