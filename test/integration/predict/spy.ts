import type { Engine } from '../../../src/engine/index.ts'

/** An engine that passes everything on, with the values of every graph output that is called `logits`, in order. */
export function spyOn(engine: Engine): { readonly spy: Engine; readonly logits: number[] } {
  const logits: number[] = []
  const spy: Engine = {
    ...engine,
    async load(...args) {
      const session = await engine.load(...args)
      return {
        async run(inputs) {
          const result = await session.run(inputs)
          const output = result.outputs.get('logits')
          if (output !== undefined) logits.push(...(output.data as Float32Array))
          return result
        },
        [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
      }
    },
  }
  return { spy, logits }
}
