import { fileURLToPath } from 'node:url'

const inSample = (name: string): string => fileURLToPath(new URL(`../../sample/${name}`, import.meta.url))

/** A convolutional digits classifier trained by PyTorch and its test images; sample/make_sample.py makes them. */
export const SAMPLE_FILES = {
  architecturePath: inSample('digits_cnn.layers.json'),
  checkpointPath: inSample('digits_cnn.pth'),
  datasetPath: inSample('digits_test.npz'),
} as const
