import { Select } from '@mantine/core'
import type { DatasetChoices } from './use-choices.ts'

/** Chooses a version of a dataset, of those that there are and of those that match what is typed. */
export const DatasetSelect = ({
  choices: { choices, onSearch },
  value,
  onChange,
  minWidth,
}: {
  readonly choices: DatasetChoices
  readonly value: string
  readonly onChange: (id: string) => void
  readonly minWidth?: number
}) => (
  <Select
    label="Dataset"
    searchable
    allowDeselect={false}
    value={value}
    onSearchChange={onSearch}
    data={choices.map((each) => ({
      value: each.id,
      label: `${each.name} v${each.version} (${each.rows} samples)`,
    }))}
    onChange={(id) => onChange(id!)}
    {...(minWidth === undefined ? {} : { miw: minWidth })}
  />
)
