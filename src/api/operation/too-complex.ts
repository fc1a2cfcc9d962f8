import { GraphQLError, type ASTNode } from 'graphql'

/** The error of an operation that is over a limit. */
export const tooComplex = (message: string, node?: ASTNode): GraphQLError =>
  new GraphQLError(message, {
    ...(node === undefined ? {} : { nodes: node }),
    extensions: { code: 'QUERY_TOO_COMPLEX', http: { status: 400 } },
  })
