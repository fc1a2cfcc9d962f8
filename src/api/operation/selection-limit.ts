import {
  Kind,
  type DocumentNode,
  type FragmentDefinitionNode,
  type SelectionSetNode,
  type ValidationRule,
} from 'graphql'
import { tooComplex } from './too-complex.ts'

interface Count {
  readonly selections: number
  readonly aliases: number
}

const NONE: Count = { selections: 0, aliases: 0 }

// Fragments that spread fragments multiply; this is more than any limit and far from where doubles lose units.
const plus = (a: Count, b: Count): Count => ({
  selections: Math.min(a.selections + b.selections, 1e12),
  aliases: Math.min(a.aliases + b.aliases, 1e12),
})

/**
 * A rule on how many fields, fragments and aliases an operation has when its fragments are written out. Each fragment is counted
 * once, so that a bomb of fragments costs no more than its text.
 */
export function selectionLimit(limits: { readonly selections: number; readonly aliases: number }): ValidationRule {
  return (context) => {
    const count = selectionCounter(context.getDocument())
    return {
      OperationDefinition(operation) {
        const { selections, aliases } = count(operation.selectionSet)
        const name = operation.name === undefined ? 'the operation' : `operation ${operation.name.value}`
        if (aliases > limits.aliases)
          context.reportError(
            tooComplex(
              `${name} has ${aliases} aliases; at most ${limits.aliases} are allowed: send several requests`,
              operation,
            ),
          )
        if (selections > limits.selections)
          context.reportError(
            tooComplex(
              `${name} has ${selections} fields and fragments; at most ${limits.selections} are allowed: ask for less at a time`,
              operation,
            ),
          )
      },
    }
  }
}

function selectionCounter(document: DocumentNode): (set: SelectionSetNode) => Count {
  const fragments = new Map<string, FragmentDefinitionNode>()
  for (const definition of document.definitions)
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition)
  const counts = new Map<string, Count>()

  const ofFragment = (name: string): Count => {
    const known = counts.get(name)
    if (known !== undefined) return known
    const fragment = fragments.get(name)
    // An unknown fragment and a cycle are other rules' findings; here they end the count.
    counts.set(name, NONE)
    const count = fragment === undefined ? NONE : ofSet(fragment.selectionSet)
    counts.set(name, count)
    return count
  }
  const ofSet = (set: SelectionSetNode): Count =>
    set.selections.reduce<Count>((sum, selection) => {
      const below =
        selection.kind === Kind.FRAGMENT_SPREAD
          ? ofFragment(selection.name.value)
          : selection.selectionSet === undefined
            ? NONE
            : ofSet(selection.selectionSet)
      const aliases = selection.kind === Kind.FIELD && selection.alias !== undefined ? 1 : 0
      return plus(sum, plus(below, { selections: 1, aliases }))
    }, NONE)
  return ofSet
}
