import type { DatasetFacts, RowReader } from '../evaluation/index.ts'

/** A few samples, wherever they come from, as a run would see them: columns with facts about their values. */
export interface GivenSamples {
  readonly facts: DatasetFacts
  /** Samples. */
  readonly n: number
  /** The rows of the dataset or file, one for each sample; null where there are none. */
  readonly rows: readonly number[] | null
  /** Readers of the columns with these names, whose rows are the samples. Not called before the columns were found to fit. */
  readers(columns: ReadonlySet<string>): Promise<ReadonlyMap<string, RowReader>>
}
