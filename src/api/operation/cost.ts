import { getNamedType, getNullableType, GraphQLError, isLeafType, isListType, Kind } from 'graphql'
import { getVariableValues, type DocumentNode, type GraphQLSchema, type OperationDefinitionNode } from 'graphql'
import { getComplexity, type ComplexityEstimator } from 'graphql-query-complexity'
import { MAX_PAGE } from '../page.ts'
import { tooComplex } from './too-complex.ts'

/** Items that a list without `first` is taken to have: tensors, parameters, metrics. */
const ASSUMED_ITEMS = 25

/** Fields that take more work than an object: they decode a graph, compare a state_dict, answer a large value, or read
 * all of a checkpoint. */
const FIELD_COST = new Map<string, number>([
  ['Architecture.inputs', 10],
  ['Architecture.outputs', 10],
  ['Architecture.nodes', 10],
  ['Architecture.parameters', 10],
  ['Checkpoint.tree', 10],
  ['Checkpoint.binding', 20],
  ['Checkpoint.storage', 2],
  ['Checkpoint.values', 10],
  ['Dataset.storage', 2],
  ['Dataset.preview', 50],
  ['Dataset.samples', 20],
  ['Sample.data', 2],
  ['Run.progressHistory', 10],
  ['RunConnection.totalCount', 20],
  ['Query.previewUpload', 100],
  ['Model.storage', 10],
  ['Download.fileName', 10],
  ['Download.byteLength', 20],
  ['Download.sha256', 2000],
  ['Mutation.predict', 20],
  ['Query.bindCheckpoint', 20],
  ['Query.compareCheckpoints', 40],
  ['Query.compareEngines', 200],
  ['RunDifference.metrics', 200],
  ['RunDifference.mcNemar', 50],
  ['RunDifference.changes', 50],
  ['Run.sampleResults', 20],
  ['SampleConnection.totalCount', 20],
  ['Query.storageUsage', 100],
  ['Run.confusionMatrix', 10],
  ['Run.scoreCurves', 10],
])

/**
 * The cost of an operation with these variables: one for each object that it may answer, times the page size for what is inside a
 * page, and something for fields that take more work. Introspection costs nothing: it has its own depth limits.
 * @throws GraphQLError QUERY_TOO_COMPLEX when it has more selections than are counted.
 */
export function costOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): number {
  // Wrong variables are reported, better, by the execution that will not take place.
  if (getVariableValues(schema, operation.variableDefinitions ?? [], variables).errors !== undefined) return 0
  try {
    return getComplexity({
      schema,
      // The operation alone: the library looks at all of them, and stumbles over those without a name.
      query: {
        kind: Kind.DOCUMENT,
        definitions: [
          operation,
          ...document.definitions.filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION),
        ],
      },
      variables,
      estimators: [estimateField],
    })
  } catch (error) {
    if (error instanceof GraphQLError) throw tooComplex(error.message, operation)
    throw error
  }
}

const estimateField: ComplexityEstimator = ({ type, field, args, childComplexity }) => {
  if (type.name.startsWith('__') || field.name.startsWith('__')) return 0
  const named = getNamedType(field.type)
  const own = FIELD_COST.get(`${type.name}.${field.name}`) ?? (isLeafType(named) ? 0 : 1)
  if (named.name.endsWith('Connection')) return own + pageSize(args) * childComplexity
  // A page's `nodes` and `edges` were multiplied with its size already.
  if (type.name.endsWith('Connection') || !isListType(getNullableType(field.type))) return own + childComplexity
  return own + ASSUMED_ITEMS * childComplexity
}

/** What `first` will be; the resolver refuses what is out of range, and a negative number must not make anything cheaper. */
function pageSize(args: Readonly<Record<string, unknown>>): number {
  const first = args['first']
  return typeof first === 'number' ? Math.min(Math.max(first, 1), MAX_PAGE) : MAX_PAGE
}
