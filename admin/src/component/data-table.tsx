import { VisuallyHidden } from '@mantine/core'
import { useVirtualizer } from '@tanstack/react-virtual'
import { memo, useEffect, useLayoutEffect, useMemo, useRef, useState, type ReactNode } from 'react'

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

interface Selection<Row> {
  readonly chosen: ReadonlySet<string>
  readonly toggle: (key: string) => void
  readonly label: (row: Row) => string
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
  readonly selection?: Selection<Row>
}) {
  const scroll = useRef<HTMLDivElement>(null)
  const width = useWidth(scroll)
  const [ownOrder, setOwnOrder] = useState<Order | null>(null)
  const order = givenOrder === undefined ? ownOrder : givenOrder
  const shown = useMemo(() => columns.filter(({ from = 0 }) => width >= from), [columns, width])
  const sorted = useMemo(
    () => (onOrder === undefined && order !== null ? inOrder(rows, columns, order) : rows),
    [rows, columns, order, onOrder],
  )
  const virtual = useVirtualizer({
    count: sorted.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => rowHeight,
    overscan: 8,
  })
  const items = virtual.getVirtualItems()
  const last = items.at(-1)?.index ?? 0
  useEffect(() => {
    if (last >= sorted.length - 60) onEnd?.()
  }, [last, sorted.length, onEnd])

  const isChoosable = selection !== undefined
  const template = useMemo(
    () => [...(isChoosable ? ['40px'] : []), ...shown.map((column) => column.width)].join(' '),
    [isChoosable, shown],
  )
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
    <div
      ref={scroll}
      className="scroll"
      style={{ maxHeight: height }}
      tabIndex={0}
      role="table"
      aria-label={label}
      aria-rowcount={(total ?? sorted.length) + 1}
    >
      <div role="rowgroup" className="grid-sticky">
        <div role="row" aria-rowindex={1} className="grid-row grid-head" style={{ gridTemplateColumns: template }}>
          {isChoosable && (
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
                <button type="button" className="order" onClick={() => orderBy(column.id)}>
                  {column.header}
                  {order?.column === column.id && <span aria-hidden>{order.descending ? ' ↓' : ' ↑'}</span>}
                </button>
              ) : (
                column.header
              )}
            </div>
          ))}
        </div>
      </div>
      <div role="rowgroup" style={{ height: virtual.getTotalSize(), position: 'relative' }}>
        {items.map(({ index, start }) => {
          const row = sorted[index]!
          const key = keyOf(row)
          return (
            <TableRow
              key={key}
              row={row}
              index={index}
              top={start}
              height={rowHeight}
              columns={shown as readonly Column<unknown>[]}
              template={template}
              choice={isChoosable ? key : null}
              isChosen={selection?.chosen.has(key) === true}
              toggle={selection?.toggle}
              choiceLabel={selection?.label(row)}
            />
          )
        })}
      </div>
    </div>
  )
}

/** A row: drawn again only when something in it changes, not whenever the table is scrolled. */
const TableRow = memo(function TableRow({
  row,
  index,
  top,
  height,
  columns,
  template,
  choice,
  isChosen,
  toggle,
  choiceLabel,
}: {
  readonly row: unknown
  readonly index: number
  readonly top: number
  readonly height: number
  readonly columns: readonly Column<unknown>[]
  readonly template: string
  readonly choice: string | null
  readonly isChosen: boolean
  readonly toggle: ((key: string) => void) | undefined
  readonly choiceLabel: string | undefined
}) {
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      className="grid-row"
      data-selected={isChosen}
      style={{ gridTemplateColumns: template, height, transform: `translateY(${top}px)` }}
    >
      {choice !== null && (
        <div role="cell">
          <input
            type="checkbox"
            className="tick"
            checked={isChosen}
            onChange={() => toggle?.(choice)}
            aria-label={choiceLabel}
          />
        </div>
      )}
      {columns.map((column) => (
        <div key={column.id} role="cell" className={column.numeric === true ? 'numbers' : undefined}>
          {column.cell(row)}
        </div>
      ))}
    </div>
  )
})

/** How wide an element is. Before it is there, as wide as the window. */
function useWidth(of: { readonly current: HTMLElement | null }): number {
  const [width, setWidth] = useState(() => window.innerWidth)
  useLayoutEffect(() => {
    const element = of.current!
    setWidth(element.clientWidth)
    const observer = new ResizeObserver(() => setWidth(element.clientWidth))
    observer.observe(element)
    return () => observer.disconnect()
  }, [of])
  return width
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
