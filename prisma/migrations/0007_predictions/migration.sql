-- CreateTable
CREATE TABLE "Prediction" (
    "id" UUID NOT NULL,
    "request" JSON NOT NULL,
    "inputs" BYTEA NOT NULL,
    "device" TEXT NOT NULL,
    "affinity" TEXT NOT NULL,
    "workerId" UUID,
    "attempt" INTEGER NOT NULL DEFAULT 0,
    "answer" JSON,
    "logits" BYTEA,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expiresAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "Prediction_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "Prediction_expiresAt_idx" ON "Prediction"("expiresAt");

-- What Prisma's schema cannot say. A row lives for seconds and means nothing after a crash: no write-ahead log, so that no commit waits
-- for the disk. Tensors of samples do not compress.
ALTER TABLE "Prediction" SET UNLOGGED;
ALTER TABLE "Prediction" ALTER COLUMN "inputs" SET STORAGE EXTERNAL;
ALTER TABLE "Prediction" ALTER COLUMN "logits" SET STORAGE EXTERNAL;
ALTER TABLE "Prediction" ADD CONSTRAINT "Prediction_answer_check" CHECK ("attempt" >= 0 AND ("logits" IS NULL OR "answer" IS NOT NULL));
