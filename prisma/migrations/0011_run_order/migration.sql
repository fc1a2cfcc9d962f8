-- DropIndex
DROP INDEX "Metric_name_average_class_value_idx";

-- CreateIndex
CREATE INDEX "Metric_name_value_runId_idx" ON "Metric"("name", "value", "runId") WHERE (class IS NULL AND (average IS NULL OR average = 'macro'));
