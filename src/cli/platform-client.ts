import { CliFailure, notThePlatform, unreachable } from './failure.ts'
import { subscribe } from './subscribe.ts'
import { FIND_UPLOADS, type FindUploads } from './documents.ts'
import { uploadFile, type FileToSend, type SentUpload, type UploadProgress } from './upload-file.ts'

/** Variables of a GraphQL operation. */
export type Variables = Readonly<Record<string, unknown>>

/** The platform's API as the command line uses it. */
export interface PlatformClient {
  /** Address of the platform, without a path: `http://127.0.0.1:4000`. */
  readonly url: string
  /**
   * A query or a mutation. `Data` is the shape that `document` asks for; a test checks all documents against schema.graphql.
   * @throws CliFailure with the code of the first GraphQL error.
   */
  query<Data>(document: string, variables?: Variables, signal?: AbortSignal): Promise<Data>
  /** A subscription; `variables` may be changed while it runs and are sent again as they are then after a lost connection. */
  subscribe<Data>(document: string, variables: Record<string, unknown>, signal: AbortSignal): AsyncIterable<Data>
  /** Sends a file over tus; one that was begun before, by whomever, goes on where it ended. */
  upload(file: FileToSend, onProgress: UploadProgress, signal: AbortSignal): Promise<SentUpload>
}

interface GraphQLAnswer {
  readonly data?: unknown
  readonly errors?: readonly { readonly message: string; readonly extensions?: { readonly code?: string } }[]
}

/** A client of the platform at `url`. */
export function connectTo(url: string): PlatformClient {
  const base = url.replace(/\/+$/, '')
  return {
    url: base,
    query: (document, variables, signal) => post(base, document, variables, signal),
    subscribe: (document, variables, signal) => subscribe(base, document, variables, signal),
    upload: async (file, onProgress, signal) => {
      const found = await post<FindUploads>(base, FIND_UPLOADS, { sha256: file.sha256 }, signal)
      const partial = found.uploads.nodes.find(({ status, resumable }) => status === 'RECEIVING' && resumable)
      return await uploadFile(base, file, partial?.id ?? null, onProgress, signal)
    },
  }
}

async function post<Data>(base: string, query: string, variables?: Variables, signal?: AbortSignal): Promise<Data> {
  let response: Response
  try {
    response = await fetch(`${base}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ query, variables }),
      ...(signal === undefined ? {} : { signal }),
    })
  } catch (error) {
    signal?.throwIfAborted()
    throw unreachable(base, error)
  }
  const answer = await readAnswer(base, response)
  const [first] = answer.errors ?? []
  if (first !== undefined) throw new CliFailure(first.extensions?.code ?? 'INTERNAL', first.message)
  return answer.data as Data
}

async function readAnswer(base: string, response: Response): Promise<GraphQLAnswer> {
  const text = await response.text()
  try {
    const answer = JSON.parse(text) as GraphQLAnswer | null
    if (answer !== null && (answer.data !== undefined || Array.isArray(answer.errors))) return answer
  } catch {
    // Not JSON: said below.
  }
  throw notThePlatform(base, response.status, text)
}
