import { useQuery } from '@apollo/client/react'
import { Button, Group, NativeSelect, TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import type { SetURLSearchParams } from 'react-router'
import { ChoicesOfRunsDocument } from '../../generated/graphql.ts'

const STATUSES = [
  { value: '', label: 'any' },
  { value: 'QUEUED,RUNNING', label: 'live' },
  ...['QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED'].map((value) => ({ value, label: value.toLowerCase() })),
]

/** Which runs: all of it is in the address, so that a link says it too. */
export function RunFilters({
  query,
  setQuery,
}: {
  readonly query: URLSearchParams
  readonly setQuery: SetURLSearchParams
}) {
  const { data } = useQuery(ChoicesOfRunsDocument)
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
  const choice = (
    name: string,
    label: string,
    options: readonly { readonly value: string; readonly label: string }[],
  ) => (
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
      {choice('model', 'Model', [
        all,
        ...(data?.models.nodes.map(({ id, name }) => ({ value: id, label: name })) ?? []),
      ])}
      {choice('dataset', 'Dataset', [
        all,
        ...(data?.datasets.nodes.map(({ id, name, version }) => ({ value: id, label: `${name} v${version}` })) ?? []),
      ])}
      {choice('status', 'Status', STATUSES)}
      {query.size > 0 && (
        <Button size="xs" variant="default" onClick={() => setQuery({}, { replace: true })}>
          Show all
        </Button>
      )}
    </Group>
  )
}
