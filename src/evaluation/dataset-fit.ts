import type { Graph } from '../architecture/index.ts'
import type { Column, ColumnStatistics } from '../dataset/index.ts'
import type { Task } from '../metric/index.ts'
import type { Shape } from '../tensor/index.ts'
import type { Preprocess } from './preprocess.ts'

/** A column and what is known of its values. */
export interface ColumnFacts extends Column {
  readonly statistics: ColumnStatistics
  /** What is done to its values before they go into a model. */
  readonly preprocess?: Preprocess | null | undefined
}

/** A dataset as far as preflight has to know it. */
export interface DatasetFacts {
  readonly rows: number
  readonly columns: readonly ColumnFacts[]
}

/** What a model is asked to do. */
export interface Question {
  readonly graph: Graph
  readonly task: Task
  /** Class names; empty when the model names none. */
  readonly classes: readonly string[]
  /** A label that says: do not count this. */
  readonly ignoreIndex?: number | undefined
}

/** The column that feeds an input of the graph. */
export interface InputFit {
  readonly input: string
  readonly column: string
  /** Of one sample, as the graph takes it. */
  readonly shape: Shape
  readonly preprocess?: Preprocess | undefined
}

/** Where the truth is and how it is read. */
export interface LabelFit {
  readonly column: string
  /** Numbers of one sample. */
  readonly perSample: number
  /** Label code of the dataset → class index of the model; null where labels are class indexes or values already. */
  readonly classOf: readonly number[] | null
}

/** How samples, with or without the truth about them, become batches of a graph. Plain data. */
export interface SamplesFit {
  readonly inputs: readonly InputFit[]
  /** Name of the graph output that holds the logits. */
  readonly output: string
  /** Null when the truth is not there. */
  readonly labels: LabelFit | null
  /** Class names of the metrics: the model's, or `0`, `1`, … where it names none. */
  readonly classes: readonly string[]
  /** What was done that the user may want to know: conversions, columns that are not used. */
  readonly notes: readonly string[]
}

/** How the samples of a dataset become batches of a graph. */
export interface DatasetFit extends SamplesFit {
  readonly labels: LabelFit
  /** The column of the samples' weights; null where each counts 1. */
  readonly weights: string | null
}
