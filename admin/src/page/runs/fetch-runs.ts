import { apollo } from '../../api/client.ts'
import { RunsPageDocument, type RunsPageQuery } from '../../generated/graphql.ts'
import { readRunSearch } from './run-search.ts'

/** Runs that are loaded at a time. */
const PAGE = 50

let primed: { readonly question: string; readonly answer: Promise<RunsPageQuery['runs']> } | null = null

/** Asks for the first runs before anything is drawn; `fetchRuns` gives that answer to who asks the same first. */
export function primeRuns(search: URLSearchParams): void {
  const answer = fetchRuns(search, null)
  // What goes wrong, the page will say.
  answer.catch(() => undefined)
  primed = { question: search.toString(), answer }
}

/** A page of the runs that an address asks for. */
export async function fetchRuns(search: URLSearchParams, after: string | null): Promise<RunsPageQuery['runs']> {
  const early = primed
  primed = null
  if (after === null && early?.question === search.toString()) return await early.answer
  const variables = { ...readRunSearch(search), first: PAGE, after }
  const { data } = await apollo.query({ query: RunsPageDocument, variables, fetchPolicy: 'no-cache' })
  return data!.runs
}
