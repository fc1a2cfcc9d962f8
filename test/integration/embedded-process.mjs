// A process that uses an embedded server for store-embedded.test.ts: prints {url, reused} when it is there, leaves it and ends when
// its input ends. Arguments: data directory.
import { pino } from 'pino'

import { startEmbeddedPostgres } from '../../dist-test/store/embedded/index.js'

const server = await startEmbeddedPostgres({ dataDir: process.argv[2], log: pino({ level: 'silent' }), durable: false })
console.log(JSON.stringify({ url: server.url, reused: server.reused }))
for await (const _ of process.stdin);
await server[Symbol.asyncDispose]()
