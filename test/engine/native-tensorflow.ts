import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isNativeThere } from '../../src/engine/tensorflow/native-binding.ts'

/** What `npm run setup:tensorflow` makes. */
export const TENSORFLOW_FOLDER =
  process.env['NOGRAD_TENSORFLOW'] ?? join(fileURLToPath(new URL('../..', import.meta.url)), '.tensorflow')

/** Whether it has been made. What needs the native library is skipped, visibly, where it has not. */
export const nativeTensorflow = isNativeThere(TENSORFLOW_FOLDER)
