-- CreateTable
CREATE TABLE "StorageChecksum" (
    "sha256" TEXT NOT NULL,
    "conversion" TEXT NOT NULL,
    "crc32" BIGINT NOT NULL,

    CONSTRAINT "StorageChecksum_pkey" PRIMARY KEY ("sha256","conversion")
);

-- CreateTable
CREATE TABLE "DownloadDigest" (
    "checkpointId" UUID NOT NULL,
    "etag" TEXT NOT NULL,
    "sha256" TEXT NOT NULL,

    CONSTRAINT "DownloadDigest_pkey" PRIMARY KEY ("checkpointId","etag")
);

-- AddForeignKey
ALTER TABLE "StorageChecksum" ADD CONSTRAINT "StorageChecksum_sha256_fkey" FOREIGN KEY ("sha256") REFERENCES "Storage"("sha256") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "DownloadDigest" ADD CONSTRAINT "DownloadDigest_checkpointId_fkey" FOREIGN KEY ("checkpointId") REFERENCES "Checkpoint"("id") ON DELETE CASCADE ON UPDATE CASCADE;
