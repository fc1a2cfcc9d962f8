import type { CodegenConfig } from '@graphql-codegen/cli'

// Run by scripts/setup.mjs: resolver types for src/api from the schema.
const config: CodegenConfig = {
  schema: 'schema.graphql',
  generates: {
    'src/api/generated/resolvers.ts': {
      plugins: ['typescript', 'typescript-resolvers'],
      config: {
        useTypeImports: true,
        enumsAsTypes: true,
        immutableTypes: true,
        strictScalars: true,
        defaultScalarType: 'unknown',
        scalars: {
          DateTime: 'Date',
          // Counts come out of the database as bigint.
          SafeInt: { input: 'number', output: 'number | bigint' },
          JSON: 'unknown',
          ID: { input: 'string', output: 'string' },
        },
        contextType: '../context.ts#Context',
        mappers: {
          Architecture: '../loader/index.ts#ArchitectureRecord',
          Model: '../../store/index.ts#ModelRow',
          Checkpoint: '../loader/index.ts#CheckpointRecord',
          TensorInfo: '../loader/index.ts#TensorRecord',
          CheckpointComparison: '../../usecase/index.ts#CheckpointComparison as CheckpointComparisonRecord',
          TensorComparison: '../../statistics/index.ts#ComparedTensor',
          ValueEntry: '../record.ts#ValueEntryRecord',
          Dataset: '../../store/index.ts#DatasetRow',
          DatasetColumn: '../../store/index.ts#DatasetColumnRow',
          Run: '../loader/index.ts#RunRecord',
          RunConfiguration: '../loader/index.ts#RunRecord',
          RunEvent: '../record.ts#RunEventRecord',
          UserError: '../record.ts#UserErrorRecord',
          StartRunPayload: '../record.ts#StartRunAnswer',
          ComparedEngine: '../../usecase/index.ts#ComparedEngine as ComparedEngineRecord',
          Prediction: '../record.ts#PredictionRecord',
          PredictedSample: '../record.ts#PredictedSampleRecord',
          LogLine: '../loader/index.ts#LogRecord',
          Metric: '../../store/index.ts#MetricRow',
          Upload: '../../store/index.ts#UploadRow',
          Worker: '../../store/index.ts#WorkerRow',
          Device: '../../usecase/index.ts#WorkerDevice',
          StorageUsage: '../record.ts#StorageUsageRecord',
          StorageShare: '../record.ts#StorageShareRecord',
          StorageVerdict: '../record.ts#StorageVerdictRecord',
          VerificationReport: '../record.ts#VerificationReportRecord',
          BindingReport: '../record.ts#BindingReportRecord',
          BindingProposal: '../record.ts#BindingProposalRecord',
          RunComparison: '../record.ts#RunComparisonRecord',
          RunDifference: '../record.ts#RunDifferenceRecord',
          Sample: '../record.ts#SampleRecord',
          SampleConnection: '../record.ts#SampleConnectionRecord',
          Download: '../record.ts#DownloadRecord',
        },
      },
    },
  },
}
export default config
