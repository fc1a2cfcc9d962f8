import { Table } from '@mantine/core'
import type { ReactNode } from 'react'

/** A table that scrolls inside the page where the page is narrower than it; by keyboard too. */
export const WideTable = ({
  label,
  minWidth,
  maxHeight,
  children,
}: {
  readonly label: string
  readonly minWidth: number
  readonly maxHeight?: number
  readonly children: ReactNode
}) => (
  <Table.ScrollContainer
    minWidth={minWidth}
    type="native"
    tabIndex={0}
    role="region"
    aria-label={`${label}, as a table`}
    {...(maxHeight === undefined ? {} : { mah: maxHeight, style: { overflowY: 'auto' } })}
  >
    <Table verticalSpacing={4}>{children}</Table>
  </Table.ScrollContainer>
)
