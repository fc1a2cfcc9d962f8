import { existsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { SetupError, runCommand } from './run-command.mjs'

/**
 * Installs exactly what package-lock.json names, running no code of any package.
 * @param {string} root
 * @throws {SetupError} with npm's output and what to do
 */
export async function npmCi(root) {
  const [command, ...args] = findNpm()
  // NODE_ENV=production or an omit setting would leave out the compilers that the next steps need.
  const flags = ['ci', '--ignore-scripts', '--include=dev', '--include=optional', '--no-audit', '--no-fund']
  let result
  try {
    result = await runCommand(command, [...args, ...flags, '--loglevel=error', '--no-progress'], {
      cwd: root,
      env: { ...process.env, npm_config_yes: 'true', npm_config_update_notifier: 'false' },
    })
  } catch (error) {
    throw new SetupError(`npm could not be started (${error.message}). npm comes with Node: is its folder in PATH?`)
  }
  if (result.code !== 0) {
    throw new SetupError(
      `\`npm ci\` failed with exit code ${result.code}:\n\n${result.output.trim()}\n\n${advice(result.output)}`,
    )
  }
}

/** The npm that runs us, else the one next to this Node, else the one in PATH. */
export function findNpm() {
  const running = process.env.npm_execpath
  if (running !== undefined && basename(running) === 'npm-cli.js' && existsSync(running)) {
    return [process.execPath, running]
  }
  const beside = join(dirname(process.execPath), 'npm')
  return [existsSync(beside) ? beside : 'npm']
}

const ADVICE = [
  [
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ERR_SOCKET_TIMEOUT|network/i,
    'The npm registry cannot be reached. Check the network; behind a proxy or with a mirror, set npm up for it ' +
      '(`npm config set proxy URL`, `npm config set registry URL`). Nothing but the npm registry is needed.',
  ],
  [
    /CERT|self.signed/i,
    'The certificate of the npm registry is not trusted. Behind a proxy that has its own: `npm config set cafile FILE`.',
  ],
  [/ENOSPC/, 'The disk is full: the packages need about 1.5 GB.'],
  [
    /EACCES|EPERM|EROFS/,
    'A folder cannot be written. Does this folder, or the npm cache (`npm config get cache`), belong to another user?',
  ],
  [/EINTEGRITY/, 'A package is not the one that package-lock.json names. `npm cache clean --force`, then start again.'],
  [/E40[134]/, 'The npm registry refuses a package. With a mirror: does it hold all packages of package-lock.json?'],
]

function advice(output) {
  const found = ADVICE.find(([pattern]) => pattern.test(output))
  return found?.[1] ?? 'Run `npm ci` in this folder to see more.'
}
