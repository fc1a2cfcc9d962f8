import type { Activation } from '../epilogue.ts'
import type { Tf, TfTensor } from '../library.ts'

/** The activation that goes with a node. */
export function activate(tf: Tf, x: TfTensor, activation: Activation | undefined): TfTensor {
  switch (activation?.kind) {
    case undefined:
      return x
    case 'relu':
      return tf.relu(x)
    case 'relu6':
      return tf.relu6(x)
    case 'sigmoid':
      return tf.sigmoid(x)
    case 'leakyrelu':
      return tf.leakyRelu(x, activation.alpha)
  }
}
