export { bytesSource, fileSource, readPieces, type ByteSource } from './byte-source.ts'
export { DEFAULT_ZIP_LIMITS, entryBytes, entryPieces, readZipDirectory, type ZipEntry, type ZipLimits } from './zip.ts'
export {
  DEFAULT_SAFETENSORS_LIMITS,
  readSafetensorsHeader,
  type SafetensorsHeader,
  type SafetensorsLimits,
} from './safetensors.ts'
