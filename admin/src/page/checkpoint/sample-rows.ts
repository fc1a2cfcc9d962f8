/** Samples that are asked about at a time. */
export const MOST_ROWS = 64

/**
 * The rows that somebody has written: `0-9, 17`, counted from 0.
 * @throws Error that says what is wrong.
 */
export function sampleRows(text: string, samples: number): readonly number[] {
  const rows: number[] = []
  for (const part of text.split(',').map((each) => each.trim())) {
    const found = /^(\d+)(?:\s*[-–]\s*(\d+))?$/.exec(part)
    if (found === null) throw new Error(`“${part}” is no row: write for example 0-9, 17`)
    const [first, last] = [Number(found[1]), Number(found[2] ?? found[1])]
    if (last >= samples) throw new Error(`There is no row ${last}: the dataset has ${samples}, counted from 0`)
    if (last < first) throw new Error(`“${part}” ends before it begins`)
    if (rows.length + last - first + 1 > MOST_ROWS) throw new Error(`That are more than ${MOST_ROWS} samples`)
    for (let row = first; row <= last; row++) rows.push(row)
  }
  return rows
}
