export { openBlobCache, type BlobCache, type BlobCacheOptions } from './blob-cache.ts'
export type { ArrivingFile, BlobLease, BlobSource } from './blob-lease.ts'
