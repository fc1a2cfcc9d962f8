import { parentPort, workerData } from 'node:worker_threads'
import { AppError, invariant } from '../error.ts'
import type { EngineModule, RunResult, Session } from './engine.ts'
import { halvingSession } from './halving-session.ts'
import type { TensorMap } from '../tensor/index.ts'
import {
  buffersOf,
  errorAnswer,
  movable,
  type ThreadData,
  type ThreadMessage,
  type ThreadRequest,
} from './thread-protocol.ts'

// The program of the thread that `threadedEngine` starts: answers requests one after the other, in order.

const port = parentPort
invariant(port !== null, 'engine-thread is started by threadedEngine')

const { module: url, closed } = workerData as ThreadData
const engine = import(url).then((module: EngineModule) => module.createEngine())
// Reported by the first request that needs it.
engine.catch(() => undefined)
const sessions = new Map<number, Session>()
let nextSession = 0
let last = Promise.resolve()

port.on('message', ({ id, request }: ThreadMessage) => {
  last = last.then(async () => {
    try {
      if (request.kind === 'run') {
        const result = await run(request.session, request.inputs)
        port.postMessage({ id, kind: 'value', value: result }, buffersOf(result.outputs, result.inputs))
      } else port.postMessage({ id, kind: 'value', value: await answer(request) })
    } catch (error) {
      port.postMessage(errorAnswer(id, error))
    }
    if (request.kind === 'close') port.close()
  })
})

async function run(session: number, inputs: TensorMap): Promise<RunResult> {
  if (Atomics.load(closed, 0) !== 0) throw new AppError('ENGINE_FAILED', 'the engine is closed')
  const result = await open(session).run(inputs)
  return { ...result, outputs: movable(result.outputs), inputs: movable(result.inputs) }
}

async function answer(request: Exclude<ThreadRequest, { kind: 'run' }>): Promise<unknown> {
  switch (request.kind) {
    case 'describe': {
      const { name, version, lacks } = await engine
      return { name, version, lacks }
    }
    case 'devices':
      return (await engine).devices()
    case 'load': {
      const { graph, parameters, device, options } = request
      const session = await (await engine).load(graph, parameters, device, options)
      sessions.set(nextSession, halvingSession(session))
      return nextSession++
    }
    case 'release': {
      const session = open(request.session)
      sessions.delete(request.session)
      return session[Symbol.asyncDispose]()
    }
    case 'close': {
      const all = [...sessions.values()]
      sessions.clear()
      for (const session of all) await session[Symbol.asyncDispose]()
      return undefined
    }
    default:
      throw new Error(`unknown request ${JSON.stringify(request satisfies never)}`)
  }
}

function open(session: number): Session {
  const found = sessions.get(session)
  if (found === undefined) throw new AppError('ENGINE_FAILED', 'the session is released')
  return found
}
