import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * SHA-256 over the names and contents of files and of all files below folders. Contents and not times: git sets the
 * time of what it checks out to now.
 * @param {string} root
 * @param {readonly string[]} inputs relative to root; one that is missing counts as missing
 * @param {readonly string[]} extra anything else that the result depends on
 */
export function fingerprint(root, inputs, extra = []) {
  const hash = createHash('sha256')
  for (const text of extra) hash.update(`${text}\0`)
  for (const input of inputs) addPath(hash, root, input)
  return hash.digest('hex')
}

function addPath(hash, root, path) {
  const full = join(root, path)
  if (!existsSync(full)) hash.update(`${path}\0missing\0`)
  else if (statSync(full).isDirectory()) {
    for (const name of readdirSync(full).sort()) addPath(hash, root, `${path}/${name}`)
  } else {
    const bytes = readFileSync(full)
    hash.update(`${path}\0${bytes.length}\0`).update(bytes)
  }
}

/**
 * The fingerprints of the last successful steps. They lie in node_modules, so that an installation forgets them.
 * @param {string} root
 */
export function openStamps(root) {
  const file = join(root, 'node_modules', '.nograd-setup.json')
  const read = () => {
    try {
      return JSON.parse(readFileSync(file, 'utf8'))
    } catch {
      return {}
    }
  }
  return {
    /** @param {string} step @returns {string | undefined} */
    get: (step) => read()[step],
    /** @param {string} step @param {string} value */
    set: (step, value) => writeFileSync(file, `${JSON.stringify({ ...read(), [step]: value }, null, 1)}\n`),
  }
}
