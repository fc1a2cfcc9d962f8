-- How sure a value is, and what curves are drawn from.
ALTER TABLE "Metric" ADD COLUMN     "binningError" DOUBLE PRECISION,
ADD COLUMN     "high" DOUBLE PRECISION,
ADD COLUMN     "intervalMethod" TEXT,
ADD COLUMN     "low" DOUBLE PRECISION;

ALTER TABLE "Run" ADD COLUMN     "reliability" JSON;

CREATE TABLE "ScoreHistogram" (
    "runId" UUID NOT NULL,
    "position" INTEGER NOT NULL,
    "class" TEXT NOT NULL,
    "bins" JSON NOT NULL,

    CONSTRAINT "ScoreHistogram_pkey" PRIMARY KEY ("runId","position")
);

ALTER TABLE "ScoreHistogram" ADD CONSTRAINT "ScoreHistogram_runId_fkey" FOREIGN KEY ("runId") REFERENCES "Run"("id") ON DELETE CASCADE ON UPDATE CASCADE;
