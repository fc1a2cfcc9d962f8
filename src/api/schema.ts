import { readFileSync } from 'node:fs'
import {
  buildSchema,
  isInterfaceType,
  isObjectType,
  isScalarType,
  type GraphQLFieldResolver,
  type GraphQLScalarType,
  type GraphQLSchema,
} from 'graphql'
import { invariant } from '../error.ts'
import type { Context } from './context.ts'
import { resolvers } from './resolver/index.ts'

type FieldResolver =
  | GraphQLFieldResolver<unknown, Context>
  | {
      readonly subscribe: GraphQLFieldResolver<unknown, Context>
      readonly resolve: GraphQLFieldResolver<unknown, Context>
    }

/** `schema.graphql` of the package's root, which is two folders up in src and in dist alike. */
export const readTypeDefinitions = (): string => readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8')

/** The executable schema: the text of `schema.graphql` with our resolvers. */
export function createSchema(): GraphQLSchema {
  const schema = buildSchema(readTypeDefinitions())
  for (const [typeName, fields] of Object.entries(resolvers)) {
    const type = schema.getType(typeName)
    invariant(type !== undefined, `resolvers for ${typeName}, which the schema does not have`)
    if (isScalarType(type)) becomeScalar(type, fields as GraphQLScalarType)
    else {
      invariant(isObjectType(type) || isInterfaceType(type), `${typeName} has no fields`)
      for (const [fieldName, resolver] of Object.entries(fields as Record<string, FieldResolver>)) {
        const field = type.getFields()[fieldName]
        invariant(field !== undefined, `a resolver for ${typeName}.${fieldName}, which the schema does not have`)
        if (typeof resolver === 'function') field.resolve = resolver as GraphQLFieldResolver<unknown, unknown>
        else Object.assign(field, resolver)
      }
    }
  }
  return schema
}

/** The text's scalar keeps its description and gets our conversions. */
function becomeScalar(type: GraphQLScalarType, { serialize, parseValue, parseLiteral }: GraphQLScalarType): void {
  Object.assign(type, { serialize, parseValue, parseLiteral })
}
