-- Made by `npm run db:migration` from prisma/schema.prisma. The indexes answer who else uses a storage without a look at the tables.
-- DropIndex
DROP INDEX "CheckpointStorage_storageHash_idx";

-- DropIndex
DROP INDEX "DatasetColumn_storageHash_idx";

-- AlterTable
ALTER TABLE "Storage" ADD COLUMN     "damagedAt" TIMESTAMPTZ(3);

-- CreateIndex
CREATE INDEX "CheckpointStorage_storageHash_checkpointId_idx" ON "CheckpointStorage"("storageHash", "checkpointId");

-- CreateIndex
CREATE INDEX "DatasetColumn_storageHash_datasetId_idx" ON "DatasetColumn"("storageHash", "datasetId");
