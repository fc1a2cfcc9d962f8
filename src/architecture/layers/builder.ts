import { AppError } from '../../error.ts'
import { numel } from '../../tensor/index.ts'
import type { Constant, Graph, GraphNode, GraphValue, Parameter } from '../graph.ts'
import type { ArchitectureLimits } from '../limits.ts'
import { bytesOf } from '../operators/constant-elements.ts'
import type { Flow, Site } from './layer.ts'

/** The operator set that layers compile to: the last one whose every operator ONNX Runtime optimises. */
const OPSET = 20

/** Collects what layers compile to. */
export interface GraphBuilder {
  /** Where the layer of that path (`layers[3]`), type and module name (`3`, `features.0`) writes to. */
  site(path: string, type: string, module: string): Site
  /** The graph from the input to this flow. */
  finish(input: GraphValue, output: Flow): Graph
}

/** An empty graph to write to. */
export function createGraphBuilder(limits: ArchitectureLimits): GraphBuilder {
  const nodes: GraphNode[] = []
  const parameters: Parameter[] = []
  const constants: Constant[] = []
  let constantBytes = 0

  const site = (path: string, type: string, module: string): Site => {
    let count = 0
    const made = new Set<string>()
    const error = (code: 'ARCHITECTURE_INVALID' | 'LIMIT_EXCEEDED', message: string): AppError =>
      new AppError(code, `${path} (${type}): ${message}`)
    const add = (leaf: string, dtype: 'float32' | 'int64', shape: readonly number[], optional: boolean): string => {
      if (shape.reduce((product, size) => product * size, 1) > limits.parameterElements)
        throw error(
          'LIMIT_EXCEEDED',
          `${leaf} of [${shape.join(', ')}] has more than ${limits.parameterElements} elements`,
        )
      const name = `${module}.${leaf}`
      parameters.push({ name, keys: [name], dtype, shape, optional })
      return name
    }
    return {
      parameter: (leaf, shape) => add(leaf, 'float32', shape, false),
      counter: (leaf) => {
        add(leaf, 'int64', [], true)
      },
      constant: (leaf, dtype, shape, numbers) => {
        // No state_dict key starts with a slash.
        const name = `/${module}/${leaf}`
        if (made.has(name)) return name
        made.add(name)
        constantBytes += numel(shape) * (dtype === 'int64' ? 8 : 4)
        if (constantBytes > limits.constantBytes)
          throw error('LIMIT_EXCEEDED', `its tables take more than ${limits.constantBytes} bytes; use smaller sizes`)
        constants.push({ name, dtype, shape, bytes: bytesOf(dtype, numbers()) })
        return name
      },
      node: (op, inputs, attributes = {}) => {
        count++
        const name = count === 1 ? module : `${module}/${op}_${count}`
        const output = `/${module}/output_${count}`
        nodes.push({ name, op, domain: '', inputs, outputs: [output], attributes })
        return output
      },
      fail: (message) => {
        throw error('ARCHITECTURE_INVALID', message)
      },
    }
  }

  return {
    site,
    finish: (input, { value, dtype, shape }) => ({
      opset: OPSET,
      inputs: [input],
      outputs: [{ name: 'output', dtype, shape: ['N', ...shape] }],
      // A list of layers that do nothing is still a graph.
      nodes:
        value === input.name
          ? [{ name: 'output', op: 'Identity', domain: '', inputs: [value], outputs: ['output'], attributes: {} }]
          : nodes.map((node) => (node.outputs[0] === value ? { ...node, outputs: ['output'] } : node)),
      parameters,
      constants,
    }),
  }
}
