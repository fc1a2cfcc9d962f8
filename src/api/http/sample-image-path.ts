/** The path of a sample as an image; `sampleImageRoute` answers it. */
export const sampleImagePath = (datasetId: string, row: number): string => `/datasets/${datasetId}/samples/${row}.png`
