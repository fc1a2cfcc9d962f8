import type { Resolvers } from '../generated/resolvers.ts'
import { DateTimeScalar, JsonScalar, SafeIntScalar } from '../scalars.ts'
import { architectureResolvers } from './architecture.ts'
import { bindingProposalResolvers, bindingReportResolvers } from './binding.ts'
import { checkpointResolvers, tensorInfoResolvers } from './checkpoint.ts'
import { checkpointComparisonResolvers, tensorComparisonResolvers } from './comparison.ts'
import { datasetColumnResolvers, datasetResolvers, datasetSampleResolvers } from './dataset.ts'
import { downloadResolvers } from './download.ts'
import { modelResolvers } from './model.ts'
import { mutationResolvers } from './mutation.ts'
import { comparedEngineResolvers } from './compare-engines.ts'
import { predictedSampleResolvers, predictionResolvers } from './predict.ts'
import { queryResolvers } from './query.ts'
import { runDifferenceResolvers } from './compare-runs.ts'
import { sampleConnectionResolvers, sampleResolvers } from './samples.ts'
import { runEventResolvers } from './run-event.ts'
import {
  logLineResolvers,
  metricResolvers,
  progressPointResolvers,
  runConfigurationResolvers,
  runResolvers,
} from './run.ts'
import { runConnectionResolvers } from './runs.ts'
import { startRunPayloadResolvers } from './start-run.ts'
import { storageVerdictResolvers, verificationReportResolvers } from './storage.ts'
import { subscriptionResolvers } from './subscription.ts'
import { uploadResolvers } from './upload.ts'
import { valueEntryResolvers } from './values.ts'
import { deviceResolvers, workerResolvers } from './worker.ts'

/** The resolvers of every type whose fields are more than properties. */
export const resolvers = {
  Architecture: architectureResolvers,
  BindingProposal: bindingProposalResolvers,
  BindingReport: bindingReportResolvers,
  Checkpoint: checkpointResolvers,
  CheckpointComparison: checkpointComparisonResolvers,
  Dataset: datasetResolvers,
  DatasetColumn: datasetColumnResolvers,
  DatasetSample: datasetSampleResolvers,
  DateTime: DateTimeScalar,
  Device: deviceResolvers,
  Download: downloadResolvers,
  JSON: JsonScalar,
  LogLine: logLineResolvers,
  Model: modelResolvers,
  Mutation: mutationResolvers,
  ComparedEngine: comparedEngineResolvers,
  Prediction: predictionResolvers,
  PredictedSample: predictedSampleResolvers,
  Query: queryResolvers,
  Run: runResolvers,
  RunDifference: runDifferenceResolvers,
  RunConnection: runConnectionResolvers,
  Sample: sampleResolvers,
  SampleConnection: sampleConnectionResolvers,
  ProgressPoint: progressPointResolvers,
  Metric: metricResolvers,
  RunConfiguration: runConfigurationResolvers,
  RunEvent: runEventResolvers,
  SafeInt: SafeIntScalar,
  StartRunPayload: startRunPayloadResolvers,
  StorageVerdict: storageVerdictResolvers,
  Subscription: subscriptionResolvers,
  TensorComparison: tensorComparisonResolvers,
  TensorInfo: tensorInfoResolvers,
  Upload: uploadResolvers,
  ValueEntry: valueEntryResolvers,
  VerificationReport: verificationReportResolvers,
  Worker: workerResolvers,
} satisfies Resolvers
