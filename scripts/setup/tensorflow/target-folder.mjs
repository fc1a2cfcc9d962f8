import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Where the binding lies in a folder that was set up. The library's folder, deps/lib, is found from it: see binding.gyp. */
export const BINDING = join('lib', 'napi-v8', 'tfjs_binding.node')

/**
 * What a set-up depends on. `from` is what the user named, or null.
 * @typedef {{ binding: string, platform: string, arch: string, gpu: boolean, from: string | null }} Stamp
 * @param {string} packageFolder of @tensorflow/tfjs-node-gpu
 * @param {{ gpu: boolean, from: string | null }} options
 * @returns {Stamp}
 */
export function stampOf(packageFolder, { gpu, from }) {
  const { version } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8'))
  return { binding: version, platform: process.platform, arch: process.arch, gpu, from }
}

/**
 * Whether a folder holds that set-up, finished. Where the library came from matters only to who names a place.
 * @param {string} target
 * @param {Stamp} stamp
 */
export function isSetUp(target, stamp) {
  try {
    const found = JSON.parse(readFileSync(join(target, 'stamp'), 'utf8'))
    const wanted = stamp.from === null ? { ...stamp, from: found.from } : stamp
    return JSON.stringify(found) === JSON.stringify(wanted) && existsSync(join(target, BINDING))
  } catch {
    return false
  }
}

/** @param {Temporary} folder @param {Stamp} stamp */
export const writeStamp = ({ path }, stamp) => writeFileSync(join(path, 'stamp'), JSON.stringify(stamp))

/**
 * A new folder next to the target, so that it can be renamed to it: what is there is whole or not there at all. It ignores
 * itself, because it may lie in a repository.
 * @typedef {{ path: string, remove: () => void }} Temporary
 * @param {string} target
 * @returns {Temporary}
 */
export function temporaryFolder(target) {
  const path = `${target}.${process.pid}.part`
  mkdirSync(path, { recursive: true })
  writeFileSync(join(path, '.gitignore'), '*\n')
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** @param {Temporary} folder @param {string} target */
export function replaceFolder({ path }, target) {
  const old = `${target}.${process.pid}.old`
  try {
    renameSync(target, old)
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
  }
  renameSync(path, target)
  rmSync(old, { recursive: true, force: true })
}
