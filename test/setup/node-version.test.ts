import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from '@jest/globals'
import { ROOT } from './clone.ts'

const subject = (await import(pathToFileURL(join(ROOT, 'scripts/setup/node-version.mjs')).href)) as {
  nodeVersionProblem: (version: string) => string | null
}

test.each(['20.19.0', '20.20.2', '22.12.0', '22.99.1', '23.0.0', '24.1.0', '100.0.0'])('Node %s will do', (version) => {
  expect(subject.nodeVersionProblem(version)).toBeNull()
})

test.each(['12.22.0', '18.20.8', '20.18.3', '21.7.3', '22.11.0'])('Node %s is too old', (version) => {
  expect(subject.nodeVersionProblem(version)).toMatch(
    new RegExp(`^Node ${version} is too old: nograd needs Node 20\\.19 or newer in its line, or 22\\.12 or newer\\.`),
  )
})

test('package.json says the same', () => {
  const { engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { engines: { node: string } }
  expect(engines.node).toBe('^20.19.0 || >=22.12.0')
})
