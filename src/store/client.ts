import { PrismaPg } from '@prisma/adapter-pg'
import type { Logger } from 'pino'

import { openPool } from './connection.ts'
import { PrismaClient, type Prisma } from './prisma/client.ts'

/** A Prisma client inside `$transaction(async (tx) => …)`, or the client itself. */
export type Transaction = Prisma.TransactionClient

/** How to open a client. */
export interface ClientOptions {
  readonly databaseUrl: string
  readonly log: Logger
  /** Connections at most. */
  readonly maxConnections: number
  /** Told every SQL statement: for tests and for logs. */
  readonly onQuery?: ((sql: string) => void) | undefined
}

/** Waiting for a connection, and running a transaction: imports write 100,000 rows in one. */
const TRANSACTION_LIMITS = { maxWait: 15_000, timeout: 300_000 }

/** Opens the client of all ordinary queries. */
export function openClient({
  databaseUrl,
  log,
  maxConnections,
  onQuery,
}: ClientOptions): PrismaClient & AsyncDisposable {
  const pool = openPool(databaseUrl, maxConnections, log)
  const client = new PrismaClient({
    adapter: new PrismaPg(pool),
    transactionOptions: TRANSACTION_LIMITS,
    log: onQuery ? [{ emit: 'event', level: 'query' }] : [],
  })
  if (onQuery) client.$on('query' as never, ({ query }: Prisma.QueryEvent) => onQuery(query))
  return Object.assign(client as PrismaClient, {
    [Symbol.asyncDispose]: async () => {
      await client.$disconnect()
      await pool[Symbol.asyncDispose]()
    },
  })
}
