export { openBlobCache, type BlobCache, type BlobCacheOptions } from './blob-cache.ts'
export type { BlobLease, BlobSource } from './blob-lease.ts'
