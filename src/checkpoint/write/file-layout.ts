import { invariant } from '../../error.ts'
import type { TensorView } from '../value-tree.ts'
import type { StorageConversion } from './written-value.ts'

/** Bytes of the file that are known beforehand, except for the CRC-32 of data that a zip states in between. */
export interface FixedSegment {
  readonly kind: 'fixed'
  readonly bytes: Uint8Array
  /** Where the CRC-32 of a data segment has to be put: byte in `bytes`, and the segment's number among the data segments. */
  readonly checksums: readonly { readonly at: number; readonly data: number }[]
}

/** Bytes of the file that come from a storage. */
export interface DataSegment {
  readonly kind: 'data'
  readonly byteLength: number
  readonly storage: number
  /** Bytes of the storage, before the conversion, that are read; null: a view that is not contiguous is put in order. */
  readonly source: { readonly offset: number; readonly length: number } | TensorView
  readonly conversion: StorageConversion | null
}

export type Segment = FixedSegment | DataSegment

/** A file as it will be: its exact length, and where each of its bytes comes from. No byte of a storage was read for it. */
export interface FileLayout {
  readonly byteLength: number
  readonly segments: readonly Segment[]
  /** First byte of each segment in the file. */
  readonly offsets: readonly number[]
  /** The data segments by their number, in order. */
  readonly data: readonly DataSegment[]
  /** Whether the file states the CRC-32 of its data. */
  readonly checksummed: boolean
}

/** Puts segments one after another. */
export function layoutOf(segments: readonly Segment[]): FileLayout {
  const offsets: number[] = []
  let byteLength = 0
  for (const segment of segments) {
    offsets.push(byteLength)
    byteLength += segmentLength(segment)
  }
  invariant(Number.isSafeInteger(byteLength), 'a file has fewer than 2^53 bytes')
  return {
    byteLength,
    segments,
    offsets,
    data: segments.filter((segment) => segment.kind === 'data'),
    checksummed: segments.some((segment) => segment.kind === 'fixed' && segment.checksums.length > 0),
  }
}

export const segmentLength = (segment: Segment): number =>
  segment.kind === 'fixed' ? segment.bytes.length : segment.byteLength

/** Whether a data segment is a plain range of its storage. */
export const isRange = (
  source: DataSegment['source'],
): source is { readonly offset: number; readonly length: number } => 'length' in source
