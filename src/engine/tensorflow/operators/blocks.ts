import type { Compiled, Operator } from './operator.ts'

/** Channels to positions. Source: the ONNX specification of DepthToSpace; CRD is PyTorch's PixelShuffle. */
const depthToSpace: Operator = {
  name: 'DepthToSpace',
  compile(site): Compiled {
    const { tf } = site
    const block = site.int('blocksize')!
    const [batch, channels, height, width] = site.shape(0) as [number, number, number, number]
    const depth = channels / (block * block)
    const columnsFirst = site.text('mode') === 'CRD'
    const split = columnsFirst
      ? [batch, depth, block, block, height, width]
      : [batch, block, block, depth, height, width]
    const order = columnsFirst ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2]
    const output = [...site.outputShape()]
    return {
      operands: [site.take(0)],
      compute: (x) => tf.reshape(tf.transpose(tf.reshape(x, split), order), output),
    }
  },
}

/** Positions to channels. */
const spaceToDepth: Operator = {
  name: 'SpaceToDepth',
  compile(site): Compiled {
    const { tf } = site
    const block = site.int('blocksize')!
    const [batch, channels, height, width] = site.shape(0) as [number, number, number, number]
    const split = [batch, channels, height / block, block, width / block, block]
    const output = [...site.outputShape()]
    return {
      operands: [site.take(0)],
      compute: (x) => tf.reshape(tf.transpose(tf.reshape(x, split), [0, 3, 5, 1, 2, 4]), output),
    }
  },
}

/** Operators that exchange channels and positions. */
export const BLOCKS: readonly Operator[] = [depthToSpace, spaceToDepth]
