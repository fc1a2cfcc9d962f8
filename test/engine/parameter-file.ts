import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Graph } from '../../src/architecture/index.ts'
import type { ParameterData, ParameterSource } from '../../src/engine/index.ts'
import type { TypedArray } from '../../src/tensor/index.ts'

/** A folder that goes when the test ends. */
export async function temporaryFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'nograd-test-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

/** Writes the values of a graph's parameters into one file, each behind a few bytes that belong to none. */
export async function parameterFile(
  file: string,
  graph: Graph,
  values: Readonly<Record<string, TypedArray>>,
): Promise<ParameterSource> {
  const source = new Map<string, ParameterData>()
  const pieces: Uint8Array[] = []
  let end = 0
  const append = (bytes: Uint8Array) => {
    pieces.push(bytes)
    end += bytes.byteLength
  }
  for (const { name, dtype, shape, optional } of graph.parameters) {
    if (optional) continue
    const array = values[name]
    if (array === undefined) throw new Error(`no values for ${name}`)
    append(new Uint8Array(64 - (end % 64)).fill(0xff))
    source.set(name, { dtype, shape, path: file, offset: end, length: array.byteLength })
    append(new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
  }
  await writeFile(file, Buffer.concat(pieces))
  return source
}
