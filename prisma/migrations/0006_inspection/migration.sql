-- CreateEnum
CREATE TYPE "InspectionKind" AS ENUM ('STATISTICS', 'COMPARISON');

-- CreateEnum
CREATE TYPE "InspectionStatus" AS ENUM ('PENDING', 'READY', 'FAILED');

-- CreateTable
CREATE TABLE "Inspection" (
    "id" UUID NOT NULL,
    "kind" "InspectionKind" NOT NULL,
    "checkpointId" UUID NOT NULL,
    "otherId" UUID,
    "status" "InspectionStatus" NOT NULL DEFAULT 'PENDING',
    "workerId" UUID,
    "errorCode" TEXT,
    "errorMessage" TEXT,
    "result" JSON,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "finishedAt" TIMESTAMPTZ(3),

    CONSTRAINT "Inspection_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "TensorStatistics" (
    "viewHash" TEXT NOT NULL,
    "storageHash" TEXT NOT NULL,
    "value" JSON NOT NULL,

    CONSTRAINT "TensorStatistics_pkey" PRIMARY KEY ("viewHash")
);

-- CreateIndex
CREATE INDEX "Inspection_otherId_idx" ON "Inspection"("otherId");

-- CreateIndex
CREATE INDEX "Inspection_status_idx" ON "Inspection"("status");

-- CreateIndex
CREATE UNIQUE INDEX "Inspection_checkpointId_kind_otherId_key" ON "Inspection"("checkpointId", "kind", "otherId");

-- CreateIndex
CREATE INDEX "TensorStatistics_storageHash_idx" ON "TensorStatistics"("storageHash");

-- AddForeignKey
ALTER TABLE "Inspection" ADD CONSTRAINT "Inspection_checkpointId_fkey" FOREIGN KEY ("checkpointId") REFERENCES "Checkpoint"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Inspection" ADD CONSTRAINT "Inspection_otherId_fkey" FOREIGN KEY ("otherId") REFERENCES "Checkpoint"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "TensorStatistics" ADD CONSTRAINT "TensorStatistics_storageHash_fkey" FOREIGN KEY ("storageHash") REFERENCES "Storage"("sha256") ON DELETE CASCADE ON UPDATE CASCADE;

-- What Prisma's schema cannot say.
ALTER TABLE "Inspection" ADD CONSTRAINT "Inspection_other_check" CHECK (("kind" = 'COMPARISON') = ("otherId" IS NOT NULL));
ALTER TABLE "Inspection" ADD CONSTRAINT "Inspection_finished_check" CHECK (("finishedAt" IS NULL) = ("status" = 'PENDING') AND ("errorMessage" IS NOT NULL) = ("status" = 'FAILED'));
ALTER TABLE "TensorStatistics" ADD CONSTRAINT "TensorStatistics_viewHash_check" CHECK ("viewHash" ~ '^[0-9a-f]{64}$');

-- Checkpoints that are there already get statistics too: the workers queue what has no job.
INSERT INTO "Inspection" ("id", "kind", "checkpointId") SELECT gen_random_uuid(), 'STATISTICS', "id" FROM "Checkpoint";
