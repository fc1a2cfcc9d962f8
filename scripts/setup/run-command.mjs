import { spawn } from 'node:child_process'

/** A step that failed, with what the tool said. Its message is for people. */
export class SetupError extends Error {
  name = 'SetupError'
}

/**
 * Runs a program to its end without a shell and without input.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd: string, env?: NodeJS.ProcessEnv }} options
 * @returns {Promise<{ code: number, output: string }>} output is stdout and stderr as they came
 */
export function runCommand(command, args, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    const pieces = []
    child.stdout.on('data', (piece) => pieces.push(piece))
    child.stderr.on('data', (piece) => pieces.push(piece))
    child.on('error', reject)
    child.on('close', (code, signal) =>
      resolve({ code: code ?? 1, output: Buffer.concat(pieces).toString() + (signal ? `\nended by ${signal}` : '') }),
    )
  })
}
