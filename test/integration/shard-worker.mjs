// A worker process for store-queue.test.ts: claims shards, says so, and holds them until it is killed.
// Arguments: database URL.
import { pino } from 'pino'

import { openStore } from '../../dist-test/store/index.js'

const store = await openStore({ databaseUrl: process.argv[2], log: pino({ level: 'silent' }) })
const worker = await store.workers.register({ hostname: 'test', pid: process.pid, devices: [] })
store.queue.work({
  workerId: worker.id,
  onJob: async ({ runId, shard, retryCount }) => {
    process.stdout.write(`${JSON.stringify({ runId, shard, retryCount })}\n`)
    await new Promise(() => undefined)
  },
})
process.stdout.write('ready\n')
