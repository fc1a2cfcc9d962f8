import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import { Readable } from 'node:stream'
import { createClient } from 'graphql-ws'
import WebSocket from 'ws'

interface Failure {
  readonly message: string
}

/** The platform's API, as much of it as the benchmarks need. Everything that fails throws. */
export function client(url: string) {
  const query = async <T>(text: string, variables: Record<string, unknown> = {}): Promise<T> => {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: text, variables }),
    })
    const { data, errors } = (await response.json()) as { data: T; errors?: Failure[] }
    if (errors?.[0]) throw new Error(errors[0].message)
    return data
  }
  const mutate = async (name: string, input: object, fields: string): Promise<Record<string, unknown>> => {
    const type = `${name[0]!.toUpperCase()}${name.slice(1)}Input`
    const text = `mutation ($input: ${type}!) { ${name}(input: $input) { errors { message } ${fields} } }`
    const data = await query<Record<string, Record<string, unknown> & { errors: Failure[] }>>(text, { input })
    const payload = data[name]!
    if (payload.errors[0]) throw new Error(`${name}: ${payload.errors[0].message}`)
    return payload
  }
  const created = async (name: string, kind: string, input: object): Promise<string> =>
    ((await mutate(name, input, `${kind} { id }`))[kind] as { id: string }).id

  return {
    query,
    /** Process of the worker that there is. */
    workerPid: async (): Promise<number> =>
      (await query<{ workers: { pid: number }[] }>('{ workers { pid } }')).workers[0]!.pid,
    async upload(path: string): Promise<string> {
      const response = await fetch(`${url}/uploads/${encodeURIComponent(basename(path))}`, {
        method: 'PUT',
        body: Readable.toWeb(createReadStream(path)) as ReadableStream,
        duplex: 'half',
      } as RequestInit)
      const answer = (await response.json()) as { uploadId?: string; errors?: Failure[] }
      if (!answer.uploadId) throw new Error(`upload of ${path}: ${answer.errors?.[0]?.message ?? response.status}`)
      return answer.uploadId
    },
    createModel: (input: object) => created('createModel', 'model', input),
    createCheckpoint: (input: object) => created('createCheckpoint', 'checkpoint', input),
    createDataset: (input: object) => created('createDataset', 'dataset', input),
    startRun: (input: object) => created('startRun', 'run', input),
    /** Resolves when the run has ended. @throws when it did not succeed. */
    async followRun(id: string): Promise<void> {
      const socket = createClient({ url: `${url.replace('http', 'ws')}/graphql`, webSocketImpl: WebSocket })
      let last: { status: string; run: { error: Failure | null } } | undefined
      const events = socket.iterate<{ runProgress: typeof last & object }>({
        query: 'subscription ($id: ID!) { runProgress(id: $id) { status run { error { message } } } }',
        variables: { id },
      })
      for await (const event of events) last = event.data?.runProgress
      await socket.dispose()
      if (last?.status !== 'SUCCEEDED') throw new Error(`run ${id}: ${last?.status} ${last?.run.error?.message ?? ''}`)
    },
  }
}
