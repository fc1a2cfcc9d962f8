-- Made by `npm run db:migration` from prisma/schema.prisma. By hand: StorageChunk_contentId_fkey is DEFERRABLE INITIALLY DEFERRED,
-- because chunks are copied in before the hash that names their storage is known; and what follows the last foreign key.

-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateEnum
CREATE TYPE "Task" AS ENUM ('BINARY', 'MULTICLASS', 'MULTILABEL', 'REGRESSION');

-- CreateEnum
CREATE TYPE "ArchitectureSource" AS ENUM ('LAYERS', 'ONNX');

-- CreateEnum
CREATE TYPE "CheckpointFormat" AS ENUM ('TORCH_ZIP', 'SAFETENSORS');

-- CreateEnum
CREATE TYPE "RunStatus" AS ENUM ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED');

-- CreateEnum
CREATE TYPE "ShardStatus" AS ENUM ('QUEUED', 'RUNNING', 'DONE');

-- CreateEnum
CREATE TYPE "RunEventKind" AS ENUM ('STATUS', 'PROGRESS', 'LOG');

-- CreateEnum
CREATE TYPE "UploadStatus" AS ENUM ('RECEIVING', 'COMPLETE');

-- CreateEnum
CREATE TYPE "ColumnRole" AS ENUM ('FEATURE', 'LABEL');

-- CreateTable
CREATE TABLE "Architecture" (
    "id" UUID NOT NULL,
    "sha256" TEXT NOT NULL,
    "source" "ArchitectureSource" NOT NULL,
    "graph" BYTEA NOT NULL,
    "layers" JSON,
    "parameterCount" BIGINT NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Architecture_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Model" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT,
    "task" "Task" NOT NULL,
    "classes" TEXT[],
    "architectureId" UUID NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Model_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Checkpoint" (
    "id" UUID NOT NULL,
    "modelId" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "format" "CheckpointFormat" NOT NULL,
    "fileName" TEXT NOT NULL,
    "fileSha256" TEXT NOT NULL,
    "fileBytes" BIGINT NOT NULL,
    "tree" JSON NOT NULL,
    "globals" JSON NOT NULL,
    "warnings" TEXT[],
    "stateDictPath" TEXT[],
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Checkpoint_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "CheckpointStorage" (
    "checkpointId" UUID NOT NULL,
    "index" INTEGER NOT NULL,
    "key" TEXT NOT NULL,
    "dtype" TEXT NOT NULL,
    "location" TEXT NOT NULL,
    "storageHash" TEXT NOT NULL,

    CONSTRAINT "CheckpointStorage_pkey" PRIMARY KEY ("checkpointId","index")
);

-- CreateTable
CREATE TABLE "Tensor" (
    "checkpointId" UUID NOT NULL,
    "index" INTEGER NOT NULL,
    "storageIndex" INTEGER NOT NULL,
    "dtype" TEXT NOT NULL,
    "shape" BIGINT[],
    "stride" BIGINT[],
    "storageOffset" BIGINT NOT NULL,
    "requiresGrad" BOOLEAN NOT NULL,
    "isParameter" BOOLEAN NOT NULL,

    CONSTRAINT "Tensor_pkey" PRIMARY KEY ("checkpointId","index")
);

-- CreateTable
CREATE TABLE "StateDictEntry" (
    "checkpointId" UUID NOT NULL,
    "position" INTEGER NOT NULL,
    "key" TEXT NOT NULL,
    "tensorIndex" INTEGER NOT NULL,

    CONSTRAINT "StateDictEntry_pkey" PRIMARY KEY ("checkpointId","position")
);

-- CreateTable
CREATE TABLE "Storage" (
    "sha256" TEXT NOT NULL,
    "byteLength" BIGINT NOT NULL,
    "contentId" UUID NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "touchedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Storage_pkey" PRIMARY KEY ("sha256")
);

-- CreateTable
CREATE TABLE "StorageChunk" (
    "contentId" UUID NOT NULL,
    "index" INTEGER NOT NULL,
    "bytes" BYTEA NOT NULL,

    CONSTRAINT "StorageChunk_pkey" PRIMARY KEY ("contentId","index")
);

-- CreateTable
CREATE TABLE "Dataset" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "format" TEXT NOT NULL,
    "fileName" TEXT NOT NULL,
    "fileSha256" TEXT NOT NULL,
    "fileBytes" BIGINT NOT NULL,
    "rows" BIGINT NOT NULL,
    "labelNames" TEXT[],
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Dataset_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "DatasetColumn" (
    "datasetId" UUID NOT NULL,
    "index" INTEGER NOT NULL,
    "name" TEXT NOT NULL,
    "role" "ColumnRole" NOT NULL,
    "dtype" TEXT NOT NULL,
    "shape" INTEGER[],
    "storageHash" TEXT NOT NULL,
    "min" DOUBLE PRECISION,
    "max" DOUBLE PRECISION,
    "integral" BOOLEAN NOT NULL,

    CONSTRAINT "DatasetColumn_pkey" PRIMARY KEY ("datasetId","index")
);

-- CreateTable
CREATE TABLE "Run" (
    "id" UUID NOT NULL,
    "name" TEXT,
    "modelId" UUID NOT NULL,
    "checkpointId" UUID NOT NULL,
    "datasetId" UUID NOT NULL,
    "status" "RunStatus" NOT NULL DEFAULT 'QUEUED',
    "device" TEXT NOT NULL,
    "batchSize" INTEGER NOT NULL,
    "threshold" DOUBLE PRECISION NOT NULL,
    "strict" BOOLEAN NOT NULL,
    "mapLocation" JSON,
    "keyMapping" JSON,
    "usedDevice" TEXT,
    "usedEngine" TEXT,
    "engineVersion" TEXT,
    "samples" BIGINT NOT NULL DEFAULT 0,
    "total" BIGINT NOT NULL,
    "progress" JSON,
    "seq" INTEGER NOT NULL DEFAULT 0,
    "errorCode" TEXT,
    "errorMessage" TEXT,
    "confusion" JSON,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "startedAt" TIMESTAMPTZ(3),
    "finishedAt" TIMESTAMPTZ(3),

    CONSTRAINT "Run_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Shard" (
    "runId" UUID NOT NULL,
    "index" INTEGER NOT NULL,
    "firstRow" BIGINT NOT NULL,
    "endRow" BIGINT NOT NULL,
    "status" "ShardStatus" NOT NULL DEFAULT 'QUEUED',
    "samples" BIGINT NOT NULL DEFAULT 0,
    "state" JSON,
    "workerId" UUID,
    "attempt" INTEGER NOT NULL DEFAULT 0,
    "finishedAt" TIMESTAMPTZ(3),

    CONSTRAINT "Shard_pkey" PRIMARY KEY ("runId","index")
);

-- CreateTable
CREATE TABLE "Metric" (
    "runId" UUID NOT NULL,
    "position" INTEGER NOT NULL,
    "name" TEXT NOT NULL,
    "average" TEXT,
    "class" TEXT,
    "value" DOUBLE PRECISION,
    "reason" TEXT,

    CONSTRAINT "Metric_pkey" PRIMARY KEY ("runId","position")
);

-- CreateTable
CREATE TABLE "RunEvent" (
    "runId" UUID NOT NULL,
    "seq" INTEGER NOT NULL,
    "kind" "RunEventKind" NOT NULL,
    "payload" JSON NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "RunEvent_pkey" PRIMARY KEY ("runId","seq")
);

-- CreateTable
CREATE TABLE "Upload" (
    "id" UUID NOT NULL,
    "fileName" TEXT NOT NULL,
    "status" "UploadStatus" NOT NULL DEFAULT 'RECEIVING',
    "bytes" BIGINT NOT NULL DEFAULT 0,
    "sha256" TEXT,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expiresAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "Upload_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Worker" (
    "id" UUID NOT NULL,
    "hostname" TEXT NOT NULL,
    "pid" INTEGER NOT NULL,
    "lockKey" BIGINT NOT NULL,
    "devices" JSON NOT NULL,
    "startedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "lastSeenAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Worker_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "Architecture_sha256_key" ON "Architecture"("sha256");

-- CreateIndex
CREATE UNIQUE INDEX "Model_name_key" ON "Model"("name");

-- CreateIndex
CREATE INDEX "Model_architectureId_idx" ON "Model"("architectureId");

-- CreateIndex
CREATE INDEX "Checkpoint_modelId_id_idx" ON "Checkpoint"("modelId", "id");

-- CreateIndex
CREATE UNIQUE INDEX "Checkpoint_modelId_name_key" ON "Checkpoint"("modelId", "name");

-- CreateIndex
CREATE INDEX "CheckpointStorage_storageHash_idx" ON "CheckpointStorage"("storageHash");

-- CreateIndex
CREATE INDEX "Tensor_checkpointId_storageIndex_idx" ON "Tensor"("checkpointId", "storageIndex");

-- CreateIndex
CREATE INDEX "StateDictEntry_checkpointId_tensorIndex_idx" ON "StateDictEntry"("checkpointId", "tensorIndex");

-- CreateIndex
CREATE UNIQUE INDEX "StateDictEntry_checkpointId_key_key" ON "StateDictEntry"("checkpointId", "key");

-- CreateIndex
CREATE UNIQUE INDEX "Storage_contentId_key" ON "Storage"("contentId");

-- CreateIndex
CREATE INDEX "Storage_touchedAt_idx" ON "Storage"("touchedAt");

-- CreateIndex
CREATE UNIQUE INDEX "Dataset_name_version_key" ON "Dataset"("name", "version");

-- CreateIndex
CREATE INDEX "DatasetColumn_storageHash_idx" ON "DatasetColumn"("storageHash");

-- CreateIndex
CREATE INDEX "Run_modelId_id_idx" ON "Run"("modelId", "id");

-- CreateIndex
CREATE INDEX "Run_checkpointId_id_idx" ON "Run"("checkpointId", "id");

-- CreateIndex
CREATE INDEX "Run_datasetId_id_idx" ON "Run"("datasetId", "id");

-- CreateIndex
CREATE INDEX "Run_status_id_idx" ON "Run"("status", "id");

-- CreateIndex
CREATE INDEX "Metric_name_average_class_value_idx" ON "Metric"("name", "average", "class", "value");

-- CreateIndex
CREATE INDEX "Upload_expiresAt_idx" ON "Upload"("expiresAt");

-- AddForeignKey
ALTER TABLE "Model" ADD CONSTRAINT "Model_architectureId_fkey" FOREIGN KEY ("architectureId") REFERENCES "Architecture"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Checkpoint" ADD CONSTRAINT "Checkpoint_modelId_fkey" FOREIGN KEY ("modelId") REFERENCES "Model"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "CheckpointStorage" ADD CONSTRAINT "CheckpointStorage_checkpointId_fkey" FOREIGN KEY ("checkpointId") REFERENCES "Checkpoint"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "CheckpointStorage" ADD CONSTRAINT "CheckpointStorage_storageHash_fkey" FOREIGN KEY ("storageHash") REFERENCES "Storage"("sha256") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Tensor" ADD CONSTRAINT "Tensor_checkpointId_fkey" FOREIGN KEY ("checkpointId") REFERENCES "Checkpoint"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Tensor" ADD CONSTRAINT "Tensor_checkpointId_storageIndex_fkey" FOREIGN KEY ("checkpointId", "storageIndex") REFERENCES "CheckpointStorage"("checkpointId", "index") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "StateDictEntry" ADD CONSTRAINT "StateDictEntry_checkpointId_fkey" FOREIGN KEY ("checkpointId") REFERENCES "Checkpoint"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "StateDictEntry" ADD CONSTRAINT "StateDictEntry_checkpointId_tensorIndex_fkey" FOREIGN KEY ("checkpointId", "tensorIndex") REFERENCES "Tensor"("checkpointId", "index") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "StorageChunk" ADD CONSTRAINT "StorageChunk_contentId_fkey" FOREIGN KEY ("contentId") REFERENCES "Storage"("contentId") ON DELETE CASCADE ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED;

-- AddForeignKey
ALTER TABLE "DatasetColumn" ADD CONSTRAINT "DatasetColumn_datasetId_fkey" FOREIGN KEY ("datasetId") REFERENCES "Dataset"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "DatasetColumn" ADD CONSTRAINT "DatasetColumn_storageHash_fkey" FOREIGN KEY ("storageHash") REFERENCES "Storage"("sha256") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Run" ADD CONSTRAINT "Run_modelId_fkey" FOREIGN KEY ("modelId") REFERENCES "Model"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Run" ADD CONSTRAINT "Run_checkpointId_fkey" FOREIGN KEY ("checkpointId") REFERENCES "Checkpoint"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Run" ADD CONSTRAINT "Run_datasetId_fkey" FOREIGN KEY ("datasetId") REFERENCES "Dataset"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Shard" ADD CONSTRAINT "Shard_runId_fkey" FOREIGN KEY ("runId") REFERENCES "Run"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Metric" ADD CONSTRAINT "Metric_runId_fkey" FOREIGN KEY ("runId") REFERENCES "Run"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "RunEvent" ADD CONSTRAINT "RunEvent_runId_fkey" FOREIGN KEY ("runId") REFERENCES "Run"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Weights do not compress: do not try, and let ranges be read without the rest.
ALTER TABLE "StorageChunk" ALTER COLUMN "bytes" SET STORAGE EXTERNAL;

-- What Prisma's schema cannot say.
ALTER TABLE "Architecture" ADD CONSTRAINT "Architecture_sha256_check" CHECK ("sha256" ~ '^[0-9a-f]{64}$');
ALTER TABLE "Checkpoint" ADD CONSTRAINT "Checkpoint_fileSha256_check" CHECK ("fileSha256" ~ '^[0-9a-f]{64}$');
ALTER TABLE "Dataset" ADD CONSTRAINT "Dataset_fileSha256_check" CHECK ("fileSha256" ~ '^[0-9a-f]{64}$');
ALTER TABLE "Dataset" ADD CONSTRAINT "Dataset_numbers_check" CHECK ("version" >= 1 AND "rows" >= 0 AND "fileBytes" >= 0);
ALTER TABLE "Storage" ADD CONSTRAINT "Storage_sha256_check" CHECK ("sha256" ~ '^[0-9a-f]{64}$' AND "byteLength" >= 0);
ALTER TABLE "StorageChunk" ADD CONSTRAINT "StorageChunk_bytes_check" CHECK ("index" >= 0 AND octet_length("bytes") BETWEEN 1 AND 1048576);
ALTER TABLE "Run" ADD CONSTRAINT "Run_numbers_check" CHECK ("batchSize" >= 1 AND "samples" BETWEEN 0 AND "total" AND "seq" >= 0);
ALTER TABLE "Run" ADD CONSTRAINT "Run_finished_check" CHECK (("finishedAt" IS NULL) = ("status" IN ('QUEUED', 'RUNNING')));
ALTER TABLE "Shard" ADD CONSTRAINT "Shard_rows_check" CHECK ("firstRow" BETWEEN 0 AND "endRow" AND "samples" BETWEEN 0 AND "endRow" - "firstRow");
ALTER TABLE "Shard" ADD CONSTRAINT "Shard_state_check" CHECK (("status" = 'DONE') = ("state" IS NOT NULL));
ALTER TABLE "Upload" ADD CONSTRAINT "Upload_complete_check" CHECK ("bytes" >= 0 AND ("status" = 'COMPLETE') = ("sha256" IS NOT NULL));
