import type { Interpolation } from './pil-resize.ts'

/** The formats that are read. */
export type DatasetFormat =
  'npz' | 'npy' | 'safetensors' | 'csv' | 'parquet' | 'arrow' | 'jsonl' | 'idx' | 'images' | 'torch'

/** What torchvision's transforms of these names do, on eight-bit images: ToTensor and Normalize are done when they are evaluated. */
export interface ImageOptions {
  /** Resize: the length of the shorter edge, or height and width. By default images have to be of one size. */
  readonly resize?: number | readonly [height: number, width: number] | undefined
  /** Of Resize; BILINEAR by default, as torchvision's. */
  readonly interpolation?: Interpolation | undefined
  /** CenterCrop: height and width. */
  readonly centerCrop?: readonly [height: number, width: number] | undefined
  /** Grayscale: one channel instead of three. */
  readonly grayscale?: boolean | undefined
}

/** What the user says about a dataset file. */
export interface DatasetOptions {
  /**
   * Where the labels are. An array's name (npz, safetensors); a column's name, or several with commas for MULTILABEL
   * (csv); a column's index, -1 being the last (npy). By default a column with a usual name: y, label, target, class.
   */
  readonly labelColumn?: string | undefined
  /** Whether samples without labels do as well: those of a prediction need none. An array of an .npy file then is all features. */
  readonly labelsOptional?: boolean | undefined
  /**
   * Names of arrays or columns that are features. By default the array called x or the like, or every other column of a
   * CSV.
   */
  readonly featureColumns?: readonly string[] | undefined
  /** Names of columns that divide the samples. Columns that are nothing else are slices too. One may be a feature besides. */
  readonly sliceColumns?: readonly string[] | undefined
  /** How much each sample counts. By default a column called weight or sample_weight. */
  readonly weightColumn?: string | undefined
  /** What each sample is called. By default a column called id or sample_id. */
  readonly idColumn?: string | undefined
  /** Between the fields of a CSV; a comma by default. */
  readonly delimiter?: string | undefined
  /** What is done to images before they are stored. */
  readonly images?: ImageOptions | undefined
  /** Only so many rows of a table are looked at: for a preview. */
  readonly rows?: number | undefined
  /** Folder for scratch files; by default that of the system. */
  readonly scratchDir?: string | undefined
}
