import { depthLimit } from '@graphile/depth-limit'
import {
  getOperationAST,
  GraphQLError,
  parse,
  specifiedRules,
  validate,
  type DocumentNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type ValidationContext,
  type ValidationRule,
} from 'graphql'
import type { ApiLimits } from '../limits.ts'
import { costOf } from './cost.ts'
import { selectionLimit } from './selection-limit.ts'
import { tooComplex } from './too-complex.ts'

/** The rules of our own that a document must keep, on every transport. */
export function limitRules(limits: ApiLimits): ValidationRule[] {
  return [
    selectionLimit(limits),
    withOurCode(
      depthLimit({
        maxDepth: limits.depth,
        maxListDepth: limits.listDepth,
        // As deep as graphql-js's own introspection query goes, which explorers and generators send.
        maxIntrospectionDepth: 14,
        maxDepthByFieldCoordinates: { '__Type.ofType': 9 },
        revealDetails: true,
      }),
    ),
  ]
}

/** Another's rule, whose errors get our code. */
const withOurCode =
  (rule: ValidationRule): ValidationRule =>
  (context) =>
    rule(
      Object.create(context, {
        reportError: {
          value: (error: GraphQLError) => context.reportError(tooComplex(error.message, error.nodes?.[0])),
        },
      }) as ValidationContext,
    )

/**
 * What can only be checked with the variables.
 * @throws GraphQLError QUERY_TOO_COMPLEX.
 */
export function checkCost(
  schema: GraphQLSchema,
  limits: ApiLimits,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): void {
  const cost = costOf(schema, document, operation, variables)
  if (cost > limits.cost)
    throw tooComplex(
      `the operation may answer too much: it costs ${cost}, and ${limits.cost} is allowed; ask for smaller pages (\`first\`) or fewer levels`,
      operation,
    )
}

/** An operation as a client sends it. */
export interface OperationRequest {
  readonly query: string
  readonly operationName?: string | null | undefined
  readonly variables?: Readonly<Record<string, unknown>> | null | undefined
}

/**
 * Everything that Apollo Server checks for HTTP, for another transport: syntax, tokens, the schema, our limits.
 * @returns the operation, or why it is refused.
 */
export function checkOperation(
  schema: GraphQLSchema,
  limits: ApiLimits,
  request: OperationRequest,
): { readonly document: DocumentNode; readonly operation: OperationDefinitionNode } | readonly GraphQLError[] {
  try {
    const document = parse(request.query, { maxLexicalTokens: limits.tokens })
    const errors = validate(schema, document, [...specifiedRules, ...limitRules(limits)])
    if (errors.length > 0) return errors
    const operation = getOperationAST(document, request.operationName)
    if (operation == null)
      return [
        new GraphQLError('the document has several operations, or none of this name: say which with `operationName`'),
      ]
    checkCost(schema, limits, document, operation, request.variables ?? {})
    return { document, operation }
  } catch (error) {
    if (error instanceof GraphQLError) return [error]
    throw error
  }
}
