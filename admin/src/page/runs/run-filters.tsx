import { skipToken, useQuery } from '@apollo/client/react'
import { Button, Group, NativeSelect, TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import type { SetURLSearchParams } from 'react-router'
import { ChoicesOfRunsDocument, NameOfChoiceDocument } from '../../generated/graphql.ts'

const STATUSES = [
  { value: '', label: 'any' },
  { value: 'QUEUED,RUNNING', label: 'live' },
  ...['QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED'].map((value) => ({ value, label: value.toLowerCase() })),
]

interface Option {
  readonly value: string
  readonly label: string
}

/** Which runs: all of it is in the address, so that a link says it too. */
export function RunFilters({
  query,
  setQuery,
}: {
  readonly query: URLSearchParams
  readonly setQuery: SetURLSearchParams
}) {
  const { data } = useQuery(ChoicesOfRunsDocument)
  const models = useWithChosen(
    query.get('model'),
    data?.models.nodes.map(({ id, name }) => ({ value: id, label: name })),
  )
  const datasets = useWithChosen(
    query.get('dataset'),
    data?.datasets.nodes.map(({ id, name, version }) => ({ value: id, label: `${name} v${version}` })),
  )
  const set = (name: string, value: string): void => {
    setQuery(
      (before) => {
        const next = new URLSearchParams(before)
        if (value === '') next.delete(name)
        else next.set(name, value)
        return next
      },
      { replace: true },
    )
  }
  const setName = useDebouncedCallback((name: string) => set('name', name), 250)
  const choice = (name: string, label: string, options: readonly Option[]) => (
    <NativeSelect
      size="xs"
      w={150}
      label={label}
      value={query.get(name) ?? ''}
      onChange={({ currentTarget }) => set(name, currentTarget.value)}
      data={[...options]}
    />
  )
  const all = { value: '', label: 'all' }
  return (
    <Group gap="xs" mb="sm" align="flex-end">
      <TextInput
        size="xs"
        label="Name"
        placeholder="contains"
        defaultValue={query.get('name') ?? ''}
        onChange={({ currentTarget }) => setName(currentTarget.value)}
        w={140}
      />
      {choice('model', 'Model', [all, ...models])}
      {choice('dataset', 'Dataset', [all, ...datasets])}
      {choice('status', 'Status', STATUSES)}
      {query.size > 0 && (
        <Button size="xs" variant="default" onClick={() => setQuery({}, { replace: true })}>
          Show all
        </Button>
      )}
    </Group>
  )
}

/** The newest, which are offered, and what the address names, which may be older than all of them. */
function useWithChosen(chosen: string | null, newest: readonly Option[] | undefined): readonly Option[] {
  const id = chosen === null || chosen === '' || newest?.some(({ value }) => value === chosen) === true ? null : chosen
  const { data } = useQuery(
    NameOfChoiceDocument,
    id === null || newest === undefined ? skipToken : { variables: { id } },
  )
  if (id === null) return newest ?? []
  const node = data?.node
  const label =
    node == null || !('name' in node) ? '…' : 'version' in node ? `${node.name} v${node.version}` : node.name
  return [...(newest ?? []), { value: id, label }]
}
