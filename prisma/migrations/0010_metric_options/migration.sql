-- How the metrics of a run are computed, its slices, and what it said about each sample. By hand: names of labels move to their column;
-- SampleChunk is not compressed, and bounded.
ALTER TYPE "ColumnRole" ADD VALUE 'WEIGHT';
ALTER TYPE "ColumnRole" ADD VALUE 'SLICE';
ALTER TYPE "ColumnRole" ADD VALUE 'ID';

ALTER TABLE "DatasetColumn" ADD COLUMN     "names" TEXT[],
ADD COLUMN     "preprocess" JSON;
UPDATE "DatasetColumn" SET "names" = "labelNames" FROM "Dataset" WHERE "id" = "datasetId" AND "role" = 'LABEL';
ALTER TABLE "Dataset" DROP COLUMN "labelNames";

ALTER TABLE "Run" ADD COLUMN     "keepsSamples" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "metricOptions" JSON,
ADD COLUMN     "sliceKeys" TEXT[];

ALTER TABLE "Shard" ADD COLUMN     "slices" JSON;

CREATE TABLE "RunSlice" (
    "runId" UUID NOT NULL,
    "position" INTEGER NOT NULL,
    "key" TEXT NOT NULL,
    "value" TEXT NOT NULL,
    "samples" BIGINT NOT NULL,
    "metrics" JSON NOT NULL,

    CONSTRAINT "RunSlice_pkey" PRIMARY KEY ("runId","position")
);

CREATE TABLE "SampleChunk" (
    "runId" UUID NOT NULL,
    "shard" INTEGER NOT NULL,
    "attempt" INTEGER NOT NULL,
    "firstRow" BIGINT NOT NULL,
    "rows" INTEGER NOT NULL,
    "verdicts" BYTEA NOT NULL,
    "logits" BYTEA NOT NULL,

    CONSTRAINT "SampleChunk_pkey" PRIMARY KEY ("runId","firstRow","attempt")
);

ALTER TABLE "RunSlice" ADD CONSTRAINT "RunSlice_runId_fkey" FOREIGN KEY ("runId") REFERENCES "Run"("id") ON DELETE CASCADE ON UPDATE CASCADE;

ALTER TABLE "SampleChunk" ADD CONSTRAINT "SampleChunk_runId_fkey" FOREIGN KEY ("runId") REFERENCES "Run"("id") ON DELETE CASCADE ON UPDATE CASCADE;

ALTER TABLE "SampleChunk" ALTER COLUMN "verdicts" SET STORAGE EXTERNAL;
ALTER TABLE "SampleChunk" ALTER COLUMN "logits" SET STORAGE EXTERNAL;
ALTER TABLE "SampleChunk" ADD CONSTRAINT "SampleChunk_rows_check" CHECK ("rows" > 0 AND "firstRow" >= 0 AND octet_length("logits") % (4 * "rows") = 0);
