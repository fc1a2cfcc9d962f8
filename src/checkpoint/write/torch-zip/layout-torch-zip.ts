import { crc32 } from 'node:zlib'
import { itemSize } from '../../../tensor/index.ts'
import { layoutOf, type DataSegment, type FileLayout, type Segment } from '../file-layout.ts'
import { writePickle } from '../pickle/write-pickle.ts'
import type { WrittenStorage, WrittenValue } from '../written-value.ts'
import { descriptor, directory, localHeader, type ZipRecord } from './zip-records.ts'

/** Folder of every record. torch.save names it after the file; readers take what they find. */
const ROOT = 'archive'

/**
 * The file that torch.save would write: `data.pkl`, `byteorder`, one record for each storage in the order of first encounter,
 * `version`. Without `.format_version`: with it, PyTorch may compute where records are instead of reading it.
 */
export function layoutTorchZip(value: WrittenValue): FileLayout {
  const pickle = writePickle(value)
  const segments: Segment[] = []
  const records: ZipRecord[] = []
  let at = 0
  let dataCount = 0
  const fixed = (
    bytes: Uint8Array,
    checksums: readonly { readonly at: number; readonly data: number }[] = [],
  ): void => {
    segments.push({ kind: 'fixed', bytes, checksums })
    at += bytes.length
  }
  const record = (name: string, byteLength: number, crc: number | null): ZipRecord => {
    const made = { name: `${ROOT}/${name}`, byteLength, crc32: crc, offset: at }
    records.push(made)
    fixed(localHeader(made))
    return made
  }
  const small = (name: string, bytes: Uint8Array): void => {
    record(name, bytes.length, crc32(bytes))
    fixed(bytes)
  }

  small('data.pkl', pickle.bytes)
  small('byteorder', Buffer.from('little', 'latin1'))
  for (const [key, index] of pickle.storages.entries()) {
    const storage = value.storages[index]!
    const made = record(`data/${key}`, storage.byteLength, null)
    if (storage.byteLength === 0) continue
    segments.push(dataOf(index, storage))
    at += storage.byteLength
    const end = descriptor(made)
    if (end !== null) fixed(end.bytes, [{ at: end.crcAt, data: dataCount }])
    dataCount++
  }
  small('version', Buffer.from('3\n', 'latin1'))
  const { bytes, crcAt } = directory(records, at)
  fixed(
    bytes,
    crcAt.map((place, data) => ({ at: place, data })),
  )
  return layoutOf(segments)
}

function dataOf(index: number, { byteLength, conversion }: WrittenStorage): DataSegment {
  const length = conversion === null ? byteLength : (byteLength / itemSize(conversion.to)) * itemSize(conversion.from)
  return { kind: 'data', byteLength, storage: index, source: { offset: 0, length }, conversion }
}
