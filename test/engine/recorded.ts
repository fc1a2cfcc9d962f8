import type { Engine } from '../../src/engine/index.ts'

/** An engine that passes everything on, with the values of a graph output, in order, of those sessions that have it. */
export function recorded(engine: Engine, output: string): { readonly spy: Engine; readonly logits: number[] } {
  const logits: number[] = []
  const spy: Engine = {
    ...engine,
    async load(...args) {
      const session = await engine.load(...args)
      return {
        lanes: session.lanes,
        async run(inputs) {
          const result = await session.run(inputs)
          const values = result.outputs.get(output)
          if (values !== undefined) logits.push(...(values.data as Float32Array))
          return result
        },
        [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
      }
    },
  }
  return { spy, logits }
}
