import type { TensorStatistics } from '../../statistics/index.ts'

/** A checkpoint of a platform, as `inspect` shows it. A test checks the documents against schema.graphql. */
export interface InspectedCheckpoint {
  readonly id: string
  readonly fileName: string
  readonly format: string
  readonly fileBytes: number
  readonly fileSha256: string
  readonly stateDictPath: readonly string[]
  readonly locations: readonly string[]
  readonly globals: readonly { readonly module: string; readonly name: string; readonly offset: number }[]
  readonly warnings: readonly string[]
  readonly statisticsStatus: 'PENDING' | 'READY' | 'FAILED'
  readonly statisticsError: { readonly code: string; readonly message: string } | null
  readonly tensors: readonly InspectedTensor[]
}

/** A tensor of its state_dict. */
export interface InspectedTensor {
  readonly key: string
  readonly dtype: string
  readonly shape: readonly number[]
  readonly stride: readonly number[]
  readonly bytes: number
  readonly location: string
  readonly sharedWith: readonly string[]
  readonly statistics?: TensorStatistics | null
}

const document = (name: string, statistics: string): string => `query ${name}($id: ID!) {
  checkpoint(id: $id) {
    id fileName format fileBytes fileSha256 stateDictPath locations
    globals { module name offset }
    warnings statisticsStatus statisticsError { code message }
    tensors { key dtype shape stride bytes location sharedWith ${statistics} }
  }
}`

export const INSPECT_CHECKPOINT = document('InspectCheckpoint', '')
export const INSPECT_STATISTICS = document(
  'InspectStatistics',
  `statistics {
      elements zeros nan positiveInfinity negativeInfinity min max mean std norm histogram { edges counts }
    }`,
)

export const INSPECT_TREE = `query InspectTree($id: ID!) { checkpoint(id: $id) { tree } }`
