import { compileSources } from './compile-sources.mjs'

/** Before any test: src as JavaScript in dist-test, for threads and child processes. */
export default async function globalSetup() {
  await compileSources()
}
