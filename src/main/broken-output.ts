/**
 * Lets a process go on when nobody reads its output any more (a closed terminal, a pipe whose reader ended): by default the next
 * line that it writes ends it, in the middle of what it does.
 */
export function outliveOutput(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
}
