import { Box, Checkbox, Group, Text, UnstyledButton, VisuallyHidden } from '@mantine/core'
import { useElementSize } from '@mantine/hooks'
import { IconArrowDown, IconArrowUp } from '@tabler/icons-react'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useMemo, useRef, useState, type ReactNode } from 'react'

/** A column of a table. */
export interface Column<Row> {
  readonly id: string
  readonly header: string
  /** As CSS has tracks of a grid: `120px`, `minmax(120px, 2fr)`. */
  readonly width: string
  readonly cell: (row: Row) => ReactNode
  readonly numeric?: boolean
  /** Left out where the table is narrower than so many pixels. */
  readonly from?: number
  /** What rows of a table that is all there are ordered by. */
  readonly sortBy?: (row: Row) => number | string | null
}

/** How a table is ordered. */
export interface Order {
  readonly column: string
  readonly descending: boolean
}

interface Selection {
  readonly chosen: ReadonlySet<string>
  readonly toggle: (key: string) => void
  readonly label: (key: string) => string
}

/**
 * A table of which only those rows are in the page that are seen, so that it may have any number of them.
 * @param props.onEnd called when the last rows come near: there may be more to load.
 * @param props.order with `onOrder`: somebody else orders the rows; without it the table does.
 */
export function DataTable<Row>({
  label,
  rows,
  keyOf,
  columns,
  height = 480,
  rowHeight = 40,
  total,
  onEnd,
  order: givenOrder,
  onOrder,
  orderable,
  selection,
}: {
  readonly label: string
  readonly rows: readonly Row[]
  readonly keyOf: (row: Row) => string
  readonly columns: readonly Column<Row>[]
  readonly height?: number | string
  readonly rowHeight?: number
  readonly total?: number | undefined
  readonly onEnd?: (() => void) | undefined
  readonly order?: Order | null
  readonly onOrder?: (column: string) => void
  /** Columns that `onOrder` can order by. */
  readonly orderable?: ReadonlySet<string>
  readonly selection?: Selection
}) {
  const { ref: sizeRef, width } = useElementSize()
  const scroll = useRef<HTMLDivElement>(null)
  const [ownOrder, setOwnOrder] = useState<Order | null>(null)
  const order = givenOrder === undefined ? ownOrder : givenOrder
  const shown = width === 0 ? columns : columns.filter(({ from = 0 }) => width >= from)
  const sorted = useMemo(
    () => (onOrder === undefined && order !== null ? inOrder(rows, columns, order) : rows),
    [rows, columns, order, onOrder],
  )
  const virtual = useVirtualizer({
    count: sorted.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => rowHeight,
    overscan: 12,
  })
  const items = virtual.getVirtualItems()
  const last = items.at(-1)?.index ?? 0
  useEffect(() => {
    if (last >= sorted.length - 30) onEnd?.()
  }, [last, sorted.length, onEnd])

  const template = [...(selection === undefined ? [] : ['40px']), ...shown.map((column) => column.width)].join(' ')
  const canOrder = ({ id, sortBy }: Column<Row>): boolean =>
    onOrder === undefined ? sortBy !== undefined : orderable?.has(id) === true
  const orderBy = (id: string): void => {
    if (onOrder !== undefined) onOrder(id)
    else
      setOwnOrder((before) =>
        before?.column !== id
          ? { column: id, descending: true }
          : before.descending
            ? { column: id, descending: false }
            : null,
      )
  }
  return (
    <Box ref={sizeRef}>
      <Box
        ref={scroll}
        className="scroll"
        mah={height}
        tabIndex={0}
        role="table"
        aria-label={label}
        aria-rowcount={(total ?? sorted.length) + 1}
      >
        <div role="rowgroup" style={{ position: 'sticky', top: 0, zIndex: 1, background: 'var(--mantine-color-body)' }}>
          <div role="row" aria-rowindex={1} className="grid-row" style={{ gridTemplateColumns: template, height: 36 }}>
            {selection !== undefined && (
              <div role="columnheader">
                <VisuallyHidden>Chosen</VisuallyHidden>
              </div>
            )}
            {shown.map((column) => (
              <div
                key={column.id}
                role="columnheader"
                className={column.numeric === true ? 'numbers' : undefined}
                aria-sort={order?.column !== column.id ? undefined : order.descending ? 'descending' : 'ascending'}
              >
                {canOrder(column) ? (
                  <UnstyledButton onClick={() => orderBy(column.id)} fz="sm" fw={600} w="100%">
                    <Group gap={4} wrap="nowrap" justify={column.numeric === true ? 'flex-end' : 'flex-start'}>
                      {column.header}
                      {order?.column === column.id &&
                        (order.descending ? (
                          <IconArrowDown size={14} aria-hidden />
                        ) : (
                          <IconArrowUp size={14} aria-hidden />
                        ))}
                    </Group>
                  </UnstyledButton>
                ) : (
                  <Text component="span" fz="sm" fw={600}>
                    {column.header}
                  </Text>
                )}
              </div>
            ))}
          </div>
        </div>
        <div role="rowgroup" style={{ height: virtual.getTotalSize(), position: 'relative' }}>
          {items.map(({ index, start, size }) => {
            const row = sorted[index]!
            const key = keyOf(row)
            const isChosen = selection?.chosen.has(key) === true
            return (
              <div
                key={key}
                role="row"
                aria-rowindex={index + 2}
                className="grid-row"
                data-selected={isChosen}
                style={{
                  gridTemplateColumns: template,
                  position: 'absolute',
                  top: 0,
                  left: 0,
                  right: 0,
                  height: size,
                  transform: `translateY(${start}px)`,
                  fontSize: 'var(--mantine-font-size-sm)',
                }}
              >
                {selection !== undefined && (
                  <div role="cell">
                    <Checkbox
                      size="xs"
                      checked={isChosen}
                      onChange={() => selection.toggle(key)}
                      aria-label={selection.label(key)}
                    />
                  </div>
                )}
                {shown.map((column) => (
                  <div key={column.id} role="cell" className={column.numeric === true ? 'numbers' : undefined}>
                    {column.cell(row)}
                  </div>
                ))}
              </div>
            )
          })}
        </div>
      </Box>
    </Box>
  )
}

/** Rows without a value come last, either way. */
function inOrder<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  { column, descending }: Order,
): readonly Row[] {
  const valueOf = columns.find(({ id }) => id === column)?.sortBy
  if (valueOf === undefined) return rows
  const sign = descending ? -1 : 1
  return [...rows].sort((a, b) => {
    const [x, y] = [valueOf(a), valueOf(b)]
    if (x === null || y === null) return Number(x === null) - Number(y === null)
    return x === y ? 0 : x < y ? -sign : sign
  })
}
