import { hostname } from 'node:os'
import type { LogLevel, RunPlan, ShardClaim } from '../usecase/index.ts'
import type { ReadySession } from './borrow-session.ts'
import { weightBytes } from './session-cache.ts'

/** A line for a run's log. */
interface Line {
  readonly level: LogLevel
  readonly message: string
}

/** What a user wants to know of how a run is executed: device, engine, weights, and everything that was not as it was asked for. */
export function deviceLines(
  plan: RunPlan,
  { run, shard }: ShardClaim,
  ready: ReadySession,
  missingBytes: number,
  threads: number,
): Line[] {
  const { on, choice, failed, borrowed, milliseconds } = ready
  const lines: Line[] = failed.map(({ device, engine, reason }) =>
    warning(`${engine} on ${device} is not used: ${reason}`),
  )
  lines.push(
    info(
      `worker ${hostname()} (process ${process.pid}) evaluates on ${on.device.id}, ${on.device.description}, ` +
        `with ${on.engine.name} ${on.engine.version} (threads: ${threads}, batch size: ${run.batchSize}, computing in ${run.computeDType})`,
    ),
    info(`chosen because ${choice}`),
    info(
      borrowed.warm
        ? `the weights of ${plan.checkpointName} were loaded already`
        : `${plan.parameters.size} tensors of ${plan.checkpointName} (${megabytes(weightBytes(plan))}) were loaded in ${Math.round(milliseconds)} ms`,
    ),
  )
  if (missingBytes > 0)
    lines.push(
      info(`${megabytes(missingBytes)} of samples come from the database while they are evaluated, and are kept here`),
    )
  // Each shard has a device; the rest is the same for all.
  if (shard > 0) return lines
  const { report, fit } = plan
  if (report.missing.length + report.unexpected.length > 0) lines.push(warning(report.message))
  for (const [conversion, count] of countCasts(report.casts))
    lines.push(info(`${count} ${count === 1 ? 'tensor is' : 'tensors are'} converted from ${conversion}`))
  for (const note of fit.notes) lines.push(info(note))
  return lines
}

const info = (message: string): Line => ({ level: 'info', message })
const warning = (message: string): Line => ({ level: 'warning', message })

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(bytes < 1e8 ? 1 : 0)} MB`

function countCasts(casts: RunPlan['report']['casts']): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { from, to } of casts) counts.set(`${from} to ${to}`, (counts.get(`${from} to ${to}`) ?? 0) + 1)
  return counts
}
