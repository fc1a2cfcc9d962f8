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
        strictScalars: true,
        defaultScalarType: 'unknown',
        scalars: { DateTime: 'Date', SafeInt: 'number', JSON: 'unknown', ID: { input: 'string', output: 'string' } },
        contextType: '../context.ts#Context',
        mappers: {
          Architecture: '../../store/index.ts#ArchitectureRow',
          Model: '../../store/index.ts#ModelRow',
          Checkpoint: '../../store/index.ts#CheckpointRow',
          Dataset: '../../store/index.ts#DatasetRow',
          Run: '../../store/index.ts#RunRow',
          Worker: '../../store/index.ts#WorkerRow',
        },
      },
    },
  },
}
export default config
