import type { DataSegment, FileLayout } from '../../checkpoint/index.ts'
import type { Transaction } from '../../store/index.ts'
import { inChunks } from '../in-chunks.ts'

/** Storages of one statement. */
const ROWS = 1000

/** What is done to the bytes of a storage before they are written. */
const conversionOf = ({ conversion }: DataSegment): string =>
  conversion === null ? '' : `${conversion.from}:${conversion.to}`

const nameOf = (sha256: string, conversion: string): string => `${sha256} ${conversion}`

/** The CRC-32 of each data segment of a zip, as far as they were computed before. */
export async function loadChecksums(
  prisma: Transaction,
  layout: FileLayout,
  hashes: readonly string[],
): Promise<(number | undefined)[]> {
  const found = new Map<string, number>()
  const wanted = [...new Set(layout.data.map(({ storage }) => hashes[storage]!))]
  await inChunks(wanted, ROWS, async (chunk) => {
    const rows = await prisma.storageChecksum.findMany({ where: { sha256: { in: [...chunk] } } })
    for (const { sha256, conversion, crc32 } of rows) found.set(nameOf(sha256, conversion), Number(crc32))
  })
  return layout.data.map((segment) => found.get(nameOf(hashes[segment.storage]!, conversionOf(segment))))
}

/** Keeps those that were computed meanwhile. */
export async function saveChecksums(
  prisma: Transaction,
  layout: FileLayout,
  hashes: readonly string[],
  known: readonly (number | undefined)[],
  checksums: readonly (number | undefined)[],
): Promise<void> {
  if (!layout.checksummed) return
  const data = layout.data.flatMap((segment, number) => {
    const crc32 = checksums[number]
    return crc32 === undefined || known[number] !== undefined
      ? []
      : [{ sha256: hashes[segment.storage]!, conversion: conversionOf(segment), crc32: BigInt(crc32) }]
  })
  await inChunks(data, ROWS, (chunk) => prisma.storageChecksum.createMany({ data: [...chunk], skipDuplicates: true }))
}
