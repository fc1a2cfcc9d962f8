import type { Graph, GraphNode, Parameter } from '../../src/architecture/index.ts'
import type { Shape } from '../../src/tensor/index.ts'

/**
 * torchvision's ResNet-18 (He et al. 2015, table 1) as a graph with torchvision's state_dict keys, 3×224×224 in, 1000 logits
 * out, so that the benchmark needs no Python.
 */
export function resnet18(): Graph {
  const nodes: GraphNode[] = []
  const parameters: Parameter[] = []
  const parameter = (name: string, shape: Shape): string => {
    parameters.push({ name, keys: [name], dtype: 'float32', shape, optional: false })
    return name
  }
  const add = (op: string, inputs: string[], attributes: GraphNode['attributes'] = {}): string => {
    const output = `v${nodes.length}`
    nodes.push({ name: `${op}_${nodes.length}`, op, domain: '', inputs, outputs: [output], attributes })
    return output
  }
  const ints = (...value: number[]) => ({ kind: 'ints', value }) as const
  const convolution = (x: string, key: string, cin: number, cout: number, kernel: number, stride: number): string => {
    const pad = (kernel - 1) / 2
    return add('Conv', [x, parameter(`${key}.weight`, [cout, cin, kernel, kernel])], {
      kernel_shape: ints(kernel, kernel),
      strides: ints(stride, stride),
      pads: ints(pad, pad, pad, pad),
    })
  }
  const normalise = (x: string, key: string, features: number): string => {
    const part = (name: string) => parameter(`${key}.${name}`, [features])
    const inputs = [x, part('weight'), part('bias'), part('running_mean'), part('running_var')]
    parameters.push({
      name: `${key}.num_batches_tracked`,
      keys: [`${key}.num_batches_tracked`],
      dtype: 'int64',
      shape: [],
      optional: true,
    })
    return add('BatchNormalization', inputs, { epsilon: { kind: 'float', value: 1e-5 } })
  }

  let x = add('Relu', [normalise(convolution('x', 'conv1', 3, 64, 7, 2), 'bn1', 64)])
  x = add('MaxPool', [x], { kernel_shape: ints(3, 3), strides: ints(2, 2), pads: ints(1, 1, 1, 1) })
  let features = 64
  for (const [stage, width] of [64, 128, 256, 512].entries())
    for (const block of [0, 1]) {
      const key = `layer${stage + 1}.${block}`
      const stride = stage > 0 && block === 0 ? 2 : 1
      const inner = add('Relu', [
        normalise(convolution(x, `${key}.conv1`, features, width, 3, stride), `${key}.bn1`, width),
      ])
      const residual = normalise(convolution(inner, `${key}.conv2`, width, width, 3, 1), `${key}.bn2`, width)
      const shortcut =
        stride === 1 && features === width
          ? x
          : normalise(convolution(x, `${key}.downsample.0`, features, width, 1, stride), `${key}.downsample.1`, width)
      x = add('Relu', [add('Add', [residual, shortcut])])
      features = width
    }
  x = add('Flatten', [add('GlobalAveragePool', [x])], { axis: { kind: 'int', value: 1 } })
  const logits = add('Gemm', [x, parameter('fc.weight', [1000, 512]), parameter('fc.bias', [1000])], {
    transB: { kind: 'int', value: 1 },
  })
  return {
    opset: 17,
    inputs: [{ name: 'x', dtype: 'float32', shape: ['N', 3, 224, 224] }],
    outputs: [{ name: logits, dtype: 'float32', shape: ['N', 1000] }],
    nodes,
    parameters,
    constants: [],
  }
}
