// The composition root's entry: `node dist/main.js start | api | worker | evaluate | runs | cancel`.
import { runCommandLine } from './main/index.ts'

process.exitCode = await runCommandLine(process.argv.slice(2))
