import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { basename } from 'node:path'

/** Hexadecimal digits of a hash in a name: enough that equal names mean equal contents. */
const DIGITS = 12
const STEM_LENGTH = 100

/** SHA-256 of a file, lower-case hex; its memory does not grow with the file. */
export async function hashFile(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 20, signal })) hash.update(piece as Buffer)
  return hash.digest('hex')
}

/**
 * A name that says where an object came from and what is in it: `digits_cnn-multiclass-3f0c9a71b2de`. Equal contents have
 * equal names, so that evaluating the same files again finds what is there.
 * @param path the file that it comes from
 * @param parts what else it is made of
 */
export function contentName(
  path: string,
  label: string | null,
  ...parts: readonly (string | readonly string[] | undefined)[]
): string {
  const hash = createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, DIGITS)
  return [stem(path), ...(label === null ? [] : [label]), hash].join('-')
}

/** A file's name without folder, without what marks its kind, and printable. */
function stem(path: string): string {
  const bare = basename(path).replace(
    /\.(layers\.json|json|onnx|pth|pt|bin|ckpt|safetensors|npz|npy|csv|jsonl|parquet|arrow|zip|tar)$/i,
    '',
  )
  return bare.replace(/\p{Cc}/gu, '_').slice(0, STEM_LENGTH) || 'file'
}
