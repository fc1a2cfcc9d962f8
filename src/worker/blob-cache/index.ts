export { openBlobCache, type BlobCache, type BlobCacheOptions, type BlobLease, type BlobSource } from './blob-cache.ts'
