export { bytesSource, checkRange, fileSource, PIECE_BYTES, readPieces, type ByteSource } from './byte-source.ts'
export type { ContainerOptions } from './container-options.ts'
export { countMembers, scanJson } from './json-shape.ts'
export { quoted } from './quote.ts'
export { DEFAULT_ZIP_LIMITS, type ZipEntry, type ZipLimits, type ZipOptions } from './zip-limits.ts'
export { readZipDirectory } from './zip-directory.ts'
export { entryBytes, entryPieces, type EntryPiecesOptions } from './zip-entry.ts'
export {
  DEFAULT_SAFETENSORS_LIMITS,
  readSafetensorsHeader,
  type SafetensorsHeader,
  type SafetensorsLimits,
  type SafetensorsTensor,
} from './safetensors.ts'
export { readExactly } from './read-exactly.ts'
