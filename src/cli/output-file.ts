import { access } from 'node:fs/promises'
import { usageError } from './failure.ts'

/** @throws CliFailure USAGE when there is a file already and it may not be replaced. */
export async function checkOutput(path: string, force: boolean): Promise<void> {
  if (force) return
  const there = await access(path).then(
    () => true,
    () => false,
  )
  if (there) throw usageError(`${path} is there already; give --force to replace it, or another --output`)
}
