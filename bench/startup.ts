// Time from `npm start` (installed) to ready. `npm run bench:startup`
import { rm } from 'node:fs/promises'
import { startPlatform } from './platform/start.ts'
import { printTable } from './table.ts'

const ROUNDS = Number(process.argv[2] ?? 5)
const median = (times: readonly number[]) => [...times].sort((a, b) => a - b)[times.length >> 1]!

const first: number[] = []
const again: number[] = []
for (let round = 0; round < ROUNDS; round++) {
  const fresh = await startPlatform({ keep: true })
  first.push(fresh.startedInMs)
  await fresh.stop()
  const filled = await startPlatform({ folder: fresh.folder, keep: true })
  again.push(filled.startedInMs)
  await filled.stop()
  await rm(fresh.folder, { recursive: true, force: true })
}
const row = (name: string, times: readonly number[]) => [
  name,
  `${(median(times) / 1000).toFixed(2)} s`,
  `${(Math.min(...times) / 1000).toFixed(2)} s`,
  `${(Math.max(...times) / 1000).toFixed(2)} s`,
  (median(times) / 4000).toFixed(2),
]
printTable(
  [`npm start → ready, ${ROUNDS} rounds`, 'median', 'min', 'max', '÷ aim of 4 s'],
  [row('empty data folder (initdb, migrations)', first), row('filled data folder', again)],
)
