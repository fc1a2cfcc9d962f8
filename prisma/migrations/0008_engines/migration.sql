-- What a run asks for and what it got, beside the device.
ALTER TABLE "Run" ADD COLUMN     "computeDType" TEXT NOT NULL DEFAULT 'float32',
ADD COLUMN     "engine" TEXT NOT NULL DEFAULT 'auto',
ADD COLUMN     "engineChoice" TEXT,
ADD COLUMN     "usedBatchSize" INTEGER;

-- Questions are short-lived: those that are under way keep their word, which no worker of this version answers to.
ALTER TABLE "Prediction" RENAME COLUMN "device" TO "place";
