#!/usr/bin/env node
// nograd from a clone: makes the clone ready if it is not, then runs the program. Here as in set-up/node-version.mjs, nothing
// that an old Node cannot parse.
import { nodeVersionProblem } from '../scripts/setup/node-version.mjs'

const problem = nodeVersionProblem(process.versions.node)
if (problem !== null) {
  process.stderr.write(problem + '\n')
  process.exit(1)
}

import('../scripts/setup.mjs').then(function (setup) {
  return setup.setUp().then(
    function () {
      return import('../dist/main.js')
    },
    function (error) {
      setup.reportSetupFailure(error)
      process.exit(1)
    },
  )
})
