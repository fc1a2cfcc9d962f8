import { skipToken, useQuery } from '@apollo/client/react'
import { useDebouncedValue } from '@mantine/hooks'
import { useState } from 'react'
import {
  CheckpointsNamedDocument,
  ChosenCheckpointDocument,
  ChosenDatasetDocument,
  DatasetsNamedDocument,
  type CheckpointChoiceFragment,
  type DatasetChoiceFragment,
} from '../generated/graphql.ts'

/** Entries of a list's first page (operations/start.graphql): of a longer list, what somebody types is looked for by the server. */
const PAGE = 100

/** Milliseconds without a letter before the server is asked. */
const PAUSE_MS = 200

interface Choices<Choice> {
  readonly choices: readonly Choice[]
  readonly chosen: Choice | undefined
  readonly onSearch: (text: string) => void
}

export type DatasetChoices = Choices<DatasetChoiceFragment>

/** What can be evaluated: the newest, what is typed, and what is chosen, however old it is. */
export function useCheckpointChoices(newest: readonly CheckpointChoiceFragment[], id: string) {
  const { typed, isKnown, onSearch } = useTyped(newest, id)
  const named = useQuery(CheckpointsNamedDocument, typed === null ? skipToken : { variables: { name: typed } })
  const other = useQuery(ChosenCheckpointDocument, isKnown ? skipToken : { variables: { id } })
  return choicesOf(newest, (named.data ?? named.previousData)?.checkpoints.nodes, other.data?.checkpoint, id, onSearch)
}

/** What it can be evaluated on, likewise. */
export function useDatasetChoices(newest: readonly DatasetChoiceFragment[], id: string) {
  const { typed, isKnown, onSearch } = useTyped(newest, id)
  const named = useQuery(DatasetsNamedDocument, typed === null ? skipToken : { variables: { name: typed } })
  const other = useQuery(ChosenDatasetDocument, isKnown ? skipToken : { variables: { id } })
  return choicesOf(newest, (named.data ?? named.previousData)?.datasets.nodes, other.data?.dataset, id, onSearch)
}

function useTyped(newest: readonly { readonly id: string }[], id: string) {
  const [text, onSearch] = useState('')
  const [typed] = useDebouncedValue(text, PAUSE_MS)
  return {
    typed: newest.length < PAGE || typed === '' ? null : typed,
    isKnown: newest.some((each) => each.id === id),
    onSearch,
  }
}

function choicesOf<Choice extends { readonly id: string }>(
  newest: readonly Choice[],
  named: readonly Choice[] | undefined,
  other: Choice | null | undefined,
  id: string,
  onSearch: (text: string) => void,
): Choices<Choice> {
  const all = [...newest, ...(named ?? []), ...(other == null ? [] : [other])]
  const choices = [...new Map(all.map((each) => [each.id, each])).values()]
  return { choices, chosen: choices.find((each) => each.id === id), onSearch }
}
