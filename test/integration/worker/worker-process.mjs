// A worker in a process of its own, to be killed: node worker-process.mjs DATABASE_URL FOLDER
import { join } from 'node:path'
import { pino } from 'pino'
import { threadedEngine } from '../../../dist-test/engine/index.js'
import { openStore } from '../../../dist-test/store/index.js'
import { DEFAULT_PLATFORM_LIMITS } from '../../../dist-test/usecase/index.js'
import { runWorker } from '../../../dist-test/worker/index.js'

const [databaseUrl, folder] = process.argv.slice(2)
const log = pino({ level: 'warn' }, pino.destination({ fd: 2, sync: true }))
const stop = new AbortController()
process.once('SIGTERM', () => stop.abort())
const store = await openStore({ databaseUrl, log })
const engine = await threadedEngine(new URL('../../../dist-test/engine/onnxruntime/index.js', import.meta.url))
await runWorker({
  platform: {
    ...{ store, spoolDir: join(folder, 'spool'), log, clock: () => new Date(), limits: DEFAULT_PLATFORM_LIMITS },
    programs: new URL('../../../dist-test/', import.meta.url),
  },
  engines: [engine],
  cacheDir: join(folder, 'cache'),
  threads: 1,
  onReady: () => process.send('ready'),
  signal: stop.signal,
})
await engine[Symbol.asyncDispose]()
await store[Symbol.asyncDispose]()
process.disconnect()
