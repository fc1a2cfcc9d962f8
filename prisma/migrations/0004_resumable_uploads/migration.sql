-- AlterTable
ALTER TABLE "Upload" ADD COLUMN     "announcedSha256" TEXT,
ADD COLUMN     "hostname" TEXT NOT NULL DEFAULT '',
ADD COLUMN     "length" BIGINT,
ADD COLUMN     "reserved" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN     "resumable" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "spoolId" UUID;

-- CreateIndex
CREATE INDEX "Upload_spoolId_idx" ON "Upload"("spoolId");

-- CreateIndex
CREATE INDEX "Upload_announcedSha256_idx" ON "Upload"("announcedSha256");
