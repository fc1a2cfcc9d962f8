import Table from 'cli-table3'

/** No lines: a terminal's rows are for the numbers. */
const CHARS = {
  ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '', 'bottom-left': '' },
  ...{ 'bottom-right': '', left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '  ' },
}

/** A table as text: the first column to the left, numbers to the right. */
export function grid(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  align: 'left' | 'right' = 'right',
): string {
  const table = new Table({
    head: [...head],
    chars: CHARS,
    colAligns: head.map((_, column) => (column === 0 ? 'left' : align)),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  })
  for (const row of rows) table.push([...row])
  return table.toString().replace(/ +$/gm, '')
}
