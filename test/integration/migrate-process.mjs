// Migrates a database: store-migrate.test.ts starts several at once, and kills one.
// Arguments: database URL, `prisma` folder (the repository's by default).
import { pino } from 'pino'

import { migrate } from '../../dist-test/store/index.js'

await migrate(process.argv[2], pino({ level: 'warn' }), process.argv[3])
