import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { InvalidArgumentError } from 'commander'
import type { MapLocation, PrefixRename } from './evaluation-request.ts'
import { usageError } from './failure.ts'

/** A whole number from 1. @throws InvalidArgumentError */
export function positiveInteger(text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('A whole number from 1 is expected.')
  return value
}

/** A probability. @throws InvalidArgumentError */
export function probability(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !(value >= 0 && value <= 1))
    throw new InvalidArgumentError('A number from 0 to 1 is expected.')
  return value
}

/** Class names `cat,dog`, or as JSON where a name has a comma: `["cat","dog, wet"]`. @throws InvalidArgumentError */
export function classNames(text: string): readonly string[] {
  if (!text.trimStart().startsWith('[')) return text.split(',').map((name) => name.trim())
  let names: unknown
  try {
    names = JSON.parse(text)
  } catch {
    names = null
  }
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string'))
    throw new InvalidArgumentError('Names separated by commas, or a JSON list of strings, are expected.')
  return names
}

/** `cpu`, or `cuda:0=cpu,cuda:1=cpu`, as torch.load's map_location takes a device or a map. @throws InvalidArgumentError */
export function mapLocation(text: string): MapLocation {
  if (!text.includes('=')) return { device: text.trim() }
  const tags = text.split(',').map((pair) => pair.split('=').map((part) => part.trim()))
  return {
    tags: tags.map(([from, to, ...rest]) => {
      if (from === undefined || from === '' || to === undefined || to === '' || rest.length > 0)
        throw new InvalidArgumentError('A device (cpu) or a map of tags (cuda:0=cpu,cuda:1=cpu) is expected.')
      return { from, to }
    }),
  }
}

/** `backbone.=encoder.`, once more with each use of the option. @throws InvalidArgumentError */
export function prefixRename(text: string, earlier: readonly PrefixRename[] = []): readonly PrefixRename[] {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('FROM=TO is expected, such as backbone.=encoder.')
  return [...earlier, { from: text.slice(0, at), to: text.slice(at + 1) }]
}

/** Samples that a list names at most: the platform takes no more at a time. */
const MOST_INDICES = 1_000

/** `0,5,7-9`: numbers from 0, and ranges with both ends. @throws InvalidArgumentError */
export function sampleIndices(text: string): readonly number[] {
  const indices: number[] = []
  for (const part of text.split(',')) {
    const [, first, last = first] = /^\s*(\d{1,15})(?:-(\d{1,15}))?\s*$/.exec(part) ?? []
    if (first === undefined || Number(last) < Number(first))
      throw new InvalidArgumentError('Numbers from 0 and ranges are expected: 0,5,7-9.')
    if (indices.length + Number(last) - Number(first) >= MOST_INDICES)
      throw new InvalidArgumentError(`At most ${MOST_INDICES} samples are predicted at a time.`)
    for (let index = Number(first); index <= Number(last); index++) indices.push(index)
  }
  return indices
}

/** `1,2.5,3`. @throws InvalidArgumentError */
export function numberList(text: string): readonly number[] {
  const numbers = text.split(',').map((part) => (part.trim() === '' ? NaN : Number(part)))
  if (!numbers.every(Number.isFinite)) throw new InvalidArgumentError('Numbers separated by commas are expected.')
  return numbers
}

/** A number. @throws InvalidArgumentError */
export function someNumber(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('A number is expected.')
  return value
}

/** `224` or `224,256`. @throws InvalidArgumentError */
export function oneOrTwo(text: string): readonly number[] {
  const numbers = text.split(/[,x]/).map(positiveInteger)
  if (numbers.length > 2) throw new InvalidArgumentError('A length, or height,width, is expected.')
  return numbers
}

/** A value once more with each use of the option. */
export const repeated = (text: string, earlier: readonly string[] = []): readonly string[] => [...earlier, text]

/** The address of a platform. @throws InvalidArgumentError */
export function platformUrl(text: string): string {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text))
    throw new InvalidArgumentError('An address such as http://localhost:4000 is expected.')
  return text.replace(/\/graphql\/?$/, '')
}

/** @throws CliFailure USAGE when `path` is no file that can be read. */
export async function checkFile(option: string, path: string): Promise<void> {
  try {
    if (!(await stat(path)).isFile()) throw usageError(`${option} ${path}: this is no file`)
    await access(path, constants.R_OK)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ENOTDIR') throw usageError(`${option} ${path}: there is no such file`)
    if (code === 'EACCES') throw usageError(`${option} ${path}: the file cannot be read (permission denied)`)
    throw error
  }
}
