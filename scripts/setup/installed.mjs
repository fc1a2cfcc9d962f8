import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Whether node_modules holds what package-lock.json names: npm writes what it installed, when it is done, into
 * node_modules/.package-lock.json. Optional packages of other platforms may be missing.
 * @param {string} root
 */
export function isInstalled(root) {
  const wanted = packages(join(root, 'package-lock.json'))
  const found = packages(join(root, 'node_modules', '.package-lock.json'))
  if (wanted === null || found === null) return false
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '') return true
    const installed = found[path]
    if (installed === undefined) return entry.optional === true && !fitsThisMachine(entry)
    return (
      installed.version === entry.version && installed.integrity === entry.integrity && existsSync(join(root, path))
    )
  })
}

function packages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages ?? null
  } catch {
    return null
  }
}

/** npm's own rule for `os`, `cpu` and `libc` of a package; a package that is installed for none of them may be missing. */
function fitsThisMachine(entry) {
  return (
    entry.libc === undefined &&
    entry.peer !== true &&
    allows(entry.os, process.platform) &&
    allows(entry.cpu, process.arch) &&
    (entry.os !== undefined || entry.cpu !== undefined)
  )
}

function allows(list, value) {
  if (list === undefined) return true
  return list.includes(value) || (list.every((name) => name.startsWith('!')) && !list.includes(`!${value}`))
}
