import { describe, expect, test } from '@jest/globals'
import { DEFAULT_ARCHITECTURE_LIMITS, describeGraph, graphFromOnnx, inferShapes } from '../../src/architecture/index.ts'
import { AppError } from '../../src/error.ts'
import { fixtureBytes, stateDictOf } from './fixture.ts'
import { TensorProto_DataLocation, TensorProto_DataType } from '../../src/architecture/onnx/onnx_pb.ts'
import {
  float,
  gemm,
  graphAttribute,
  int,
  integers,
  ints,
  LINEAR_GRAPH,
  node,
  onnxFile,
  text,
  truth,
  value,
  weight,
} from './onnx-file.ts'

describe('graphFromOnnx', () => {
  test('digits_cnn.onnx has the keys, dtypes and shapes that PyTorch saved', () => {
    const graph = graphFromOnnx(fixtureBytes('digits_cnn.onnx'))
    const found = graph.parameters.map(({ name, dtype, shape }) => [name, dtype, shape])
    expect(new Set(found.map((row) => JSON.stringify(row)))).toEqual(
      new Set(stateDictOf('digits_cnn.safetensors').map((row) => JSON.stringify(row))),
    )
    expect(graph.parameters.every(({ name, keys }) => keys.length === 1 && keys[0] === name)).toBe(true)
    expect(graph.inputs).toEqual([{ name: 'x', dtype: 'float32', shape: ['N', 1, 8, 8] }])
    expect(graph.outputs).toEqual([{ name: 'logits', dtype: 'float32', shape: ['N', 10] }])
    expect(describeGraph(graph).parameterCount).toBe(38378)
    expect(inferShapes(graph).get('/8/Flatten_output_0')!.shape).toEqual(['N', 512])
    expect(inferShapes(graph, 7).get('/8/Flatten_output_0')!.shape).toEqual([7, 512])
  })

  test('cancer_mlp.onnx has the keys of its state_dict', () => {
    const graph = graphFromOnnx(fixtureBytes('cancer_mlp.onnx'))
    // The Mlp of make_fixtures.py: Linear(30, 16), BatchNorm1d(16), Linear(16, 1).
    expect(graph.parameters.map(({ name, shape, optional }) => [name, shape.join(), optional])).toEqual([
      ['body.0.weight', '16,30', false],
      ['body.0.bias', '16', false],
      ['body.1.weight', '16', false],
      ['body.1.bias', '16', false],
      ['body.1.running_mean', '16', false],
      ['body.1.running_var', '16', false],
      ['body.1.num_batches_tracked', '', true],
      ['head.weight', '1,16', false],
      ['head.bias', '1', false],
    ])
    expect(graph.outputs).toEqual([{ name: 'logit', dtype: 'float32', shape: ['N'] }])
  })

  test('weights in another file are not needed', () => {
    const external = {
      ...weight('fc.weight', 3, 4),
      rawData: new Uint8Array(),
      dataLocation: TensorProto_DataLocation.EXTERNAL,
      externalData: [{ key: 'location', value: 'model.onnx.data' }],
    }
    const graph = graphFromOnnx(onnxFile({ ...LINEAR_GRAPH, initializer: [external] }))
    expect(graph.parameters).toEqual([
      { name: 'fc.weight', keys: ['fc.weight'], dtype: 'float32', shape: [3, 4], optional: false },
    ])
  })

  test('initializers that are listed as inputs are no inputs, and the first size is the batch', () => {
    const input = [value('x', 16, 4, 'N'), value('fc.weight', 3, 4)]
    const graph = graphFromOnnx(
      onnxFile({
        ...LINEAR_GRAPH,
        input,
        node: [node('ReduceMean', ['x'], ['m'], { attribute: [ints('axes', 2), int('keepdims', 0)] }), gemm('m')],
      }),
    )
    expect(graph.inputs).toEqual([{ name: 'x', dtype: 'float32', shape: ['N', 4, 'x_dim_2'] }])
    expect(graph.outputs).toEqual([{ name: 'y', dtype: 'float32', shape: ['N', 3] }])
  })

  test('Identity nodes that the exporter put for equal weights become parameters again', () => {
    const graph = graphFromOnnx(
      onnxFile({
        ...LINEAR_GRAPH,
        node: [
          node('Identity', ['fc.weight'], ['fc2.weight'], { name: 'Identity_0' }),
          node('Identity', ['fc.weight'], ['/own/Identity_output_0'], { name: '/own/Identity' }),
          gemm('x', 'fc2.weight', 'a'),
          gemm('x', '/own/Identity_output_0', 'b'),
          node('Add', ['a', 'b'], ['y']),
        ],
      }),
    )
    expect(graph.parameters.map(({ name }) => name)).toEqual(['fc.weight', 'fc2.weight'])
    expect(graph.nodes.map(({ op, inputs }) => [op, ...inputs])).toEqual([
      ['Gemm', 'x', 'fc2.weight'],
      ['Gemm', 'x', 'fc.weight'],
      ['Add', 'a', 'b'],
    ])
  })

  test('whole numbers are constants, except buffers of the module', () => {
    const shapes = {
      ...LINEAR_GRAPH,
      initializer: [weight('fc.weight', 3, 4), integers('target', 0, 4), integers('emb.ids', 0, 1, 2, 1)],
    }
    const graph = graphFromOnnx(
      onnxFile({
        ...shapes,
        node: [
          node('Reshape', ['x', 'target'], ['r']),
          node('Gather', ['r', 'emb.ids'], ['g'], { attribute: [int('axis', 1)] }),
          gemm('g'),
        ],
      }),
    )
    expect(graph.constants.map(({ name }) => name)).toEqual(['target'])
    expect(graph.parameters.map(({ name, dtype }) => [name, dtype])).toEqual([
      ['fc.weight', 'float32'],
      ['emb.ids', 'int64'],
    ])
  })

  describe('with the notes of the newer exporter', () => {
    const signature = (...lines: readonly string[]) => [
      { key: 'pkg.torch.export.ExportedProgram.graph_signature', value: ['', '# inputs', ...lines].join('\n') },
    ]
    const inModule = (module: string, call: string) => [
      { key: 'pkg.torch.onnx.name_scopes', value: `['', '${module}', 'call']` },
      { key: 'pkg.torch.onnx.fx_node', value: `%call = call_function[target=x](args = (${call}), kwargs = {})` },
    ]
    const fc = "p_fc_weight: PARAMETER target='fc.weight'"

    test('a state_dict has parameters and persistent buffers, whatever the program writes to', () => {
      const graph = graphFromOnnx(
        onnxFile({
          ...LINEAR_GRAPH,
          metadataProps: signature(
            fc,
            "b_mean: BUFFER target='mean' persistent=True",
            "b_ids: BUFFER target='ids' persistent=True",
            "b_table: BUFFER target='table' persistent=False",
            "c_half: CONSTANT_TENSOR target='half'",
            '# outputs',
            "add: BUFFER_MUTATION target='mean'",
          ),
          initializer: [
            ...LINEAR_GRAPH.initializer!,
            ...['mean', 'table', 'half'].map((name) => weight(name, 4)),
            integers('ids', 0, 1, 2, 3),
          ],
          node: [
            node('Sum', ['x', 'mean', 'table', 'half'], ['s']),
            node('Gather', ['s', 'ids'], ['g'], { attribute: [int('axis', 1)] }),
            gemm('g'),
          ],
        }),
      )
      expect(graph.parameters.map(({ name }) => name)).toEqual(['fc.weight', 'mean', 'ids'])
      expect(graph.constants.map(({ name }) => name)).toEqual(['table', 'half'])
    })

    test('tied weights get both keys', () => {
      const graph = graphFromOnnx(
        onnxFile({
          ...LINEAR_GRAPH,
          metadataProps: signature(
            fc,
            "p_head_weight: PARAMETER target='head.weight'",
            "p_gone: PARAMETER target='gone.weight'",
          ),
          node: [
            { ...gemm('x', 'fc.weight', 'a'), metadataProps: inModule('fc', '%x, %p_fc_weight') },
            { ...gemm('x', 'fc.weight', 'b'), metadataProps: inModule('head', '%x, %p_fc_weight') },
            node('Add', ['a', 'b'], ['y']),
          ],
        }),
      )
      expect(graph.parameters.map(({ keys }) => keys)).toEqual([['fc.weight', 'head.weight']])
    })

    test('weights that were folded into others are noticed although every name is a key', () => {
      const folded = {
        ...LINEAR_GRAPH,
        metadataProps: signature(fc, "b_bn_running_var: BUFFER target='bn.running_var' persistent=True"),
        node: [{ ...gemm('x'), metadataProps: inModule('bn', '%linear, %b_bn_running_var, 0.1') }],
      }
      expect(() => graphFromOnnx(onnxFile(folded))).toThrow(/bn\.running_var \(folded into other weights\)/)
    })

    test('a single number may be folded from a weight that is lost', () => {
      const lost = "p_scale: PARAMETER target='scale'"
      const file = (...lines: readonly string[]) =>
        onnxFile({
          ...LINEAR_GRAPH,
          metadataProps: signature(fc, ...lines),
          initializer: [...LINEAR_GRAPH.initializer!, weight('val_3')],
          node: [node('Mul', ['x', 'val_3'], ['m']), gemm('m')],
        })
      expect(graphFromOnnx(file()).constants.map(({ name }) => name)).toEqual(['val_3'])
      expect(() => graphFromOnnx(file(lost))).toThrow(/1 weights .* val_3/)
    })
  })

  test('training mode is turned off', () => {
    const statistics = ['weight', 'bias', 'running_mean', 'running_var'].map((leaf) => weight(`bn.${leaf}`, 4))
    const training = int('training_mode', 1)
    const normalize = node(
      'BatchNormalization',
      ['x', ...statistics.map(({ name = '' }) => name)],
      ['b', 'mean', 'var'],
      {
        attribute: [training],
      },
    )
    const graph = graphFromOnnx(
      onnxFile({
        ...LINEAR_GRAPH,
        initializer: [...LINEAR_GRAPH.initializer!, ...statistics, weight('ratio'), truth('yes')],
        node: [normalize, node('Dropout', ['b', 'ratio', 'yes'], ['d', 'mask']), gemm('d')],
      }),
    )
    expect(graph.nodes.map(({ op, inputs, outputs }) => [op, inputs[0], outputs])).toEqual([
      ['BatchNormalization', 'x', ['b']],
      ['Gemm', 'b', ['y']],
    ])
    expect(graph.nodes[0]!.attributes).toEqual({})
  })

  test('a Buffer that does not start at a multiple of eight is read', () => {
    const bytes = fixtureBytes('cancer_mlp.onnx')
    const moved = Buffer.concat([Buffer.alloc(3), bytes]).subarray(3)
    expect(graphFromOnnx(moved)).toEqual(graphFromOnnx(bytes))
  })

  const words = (words: string): Uint8Array => new TextEncoder().encode(words)
  const batch17 = onnxFile(LINEAR_GRAPH)
  const cut = fixtureBytes('digits_cnn.onnx')
  const cases: readonly (readonly [bytes: Uint8Array, code: string, ...parts: readonly string[]])[] = [
    [new Uint8Array(), 'ARCHITECTURE_INVALID', 'the file is empty'],
    [words('<!DOCTYPE html><html>404</html>'), 'ARCHITECTURE_INVALID', 'HTML'],
    [words('version https://git-lfs.github.com/spec/v1\noid sha256:1'), 'ARCHITECTURE_INVALID', 'Git LFS pointer'],
    [words('{"layers": []}'), 'ARCHITECTURE_INVALID', 'JSON'],
    [fixtureBytes('digits_cnn.pth'), 'ARCHITECTURE_INVALID', 'zip archive'],
    [fixtureBytes('digits_cnn_legacy.pth'), 'ARCHITECTURE_INVALID', 'pickle'],
    [fixtureBytes('digits_cnn.safetensors'), 'ARCHITECTURE_INVALID', 'no ONNX model'],
    [cut.subarray(0, cut.length >> 1), 'ARCHITECTURE_INVALID', 'cut'],
    [Uint8Array.of(8, 8), 'ARCHITECTURE_INVALID', 'no graph'],
    [
      onnxFile(LINEAR_GRAPH, { opsetImport: [{ domain: '', version: 9n }] }),
      'ARCHITECTURE_INVALID',
      'operator set 9',
      '13 to 23',
    ],
    [
      onnxFile(LINEAR_GRAPH, { opsetImport: [{ domain: '', version: 99n }] }),
      'ARCHITECTURE_INVALID',
      'operator set 99',
    ],
    [
      onnxFile(LINEAR_GRAPH, { opsetImport: [{ domain: 'com.microsoft', version: 1n }] }),
      'ARCHITECTURE_INVALID',
      'does not say which operator set',
    ],
    [
      onnxFile(LINEAR_GRAPH, { functions: [{ name: 'Attention', domain: 'pkg.mine' }] }),
      'ARCHITECTURE_UNSUPPORTED_OPERATOR',
      'pkg.mine.Attention',
      'inline_local_functions',
    ],
    [
      onnxFile({
        ...LINEAR_GRAPH,
        node: [
          node('NonMaxSuppression', ['x'], ['a'], { name: 'nms' }),
          node('FusedConv', ['a'], ['y'], { domain: 'com.microsoft' }),
        ],
      }),
      'ARCHITECTURE_UNSUPPORTED_OPERATOR',
      'NonMaxSuppression (node nms)',
      'FusedConv of domain com.microsoft (node FusedConv_node)',
    ],
    [
      onnxFile({ ...LINEAR_GRAPH, node: [node('If', ['x'], ['y'])] }),
      'ARCHITECTURE_UNSUPPORTED_OPERATOR',
      'If (node If_node)',
      'Control flow',
    ],
    [
      onnxFile({ ...LINEAR_GRAPH, node: [node('Relu', ['b'], ['a']), node('Relu', ['a'], ['b']), gemm('b')] }),
      'ARCHITECTURE_INVALID',
      'node Relu_node (Relu)',
      'circle',
    ],
    [
      onnxFile({ ...LINEAR_GRAPH, node: [node('Relu', ['x'], ['y']), gemm('x')] }),
      'ARCHITECTURE_INVALID',
      'gives y, which',
    ],
    [onnxFile({ ...LINEAR_GRAPH, node: [gemm('ghost')] }), 'ARCHITECTURE_INVALID', 'its input ghost is not defined'],
    [onnxFile({ ...LINEAR_GRAPH, output: [value('z', 'batch', 3)] }), 'ARCHITECTURE_INVALID', 'output z is no value'],
    [onnxFile({ ...LINEAR_GRAPH, output: [] }), 'ARCHITECTURE_INVALID', 'no output'],
    [
      onnxFile({ ...LINEAR_GRAPH, input: [value('x', 'batch', 5)] }),
      'ARCHITECTURE_INVALID',
      'node Gemm_node (Gemm): expects 4 features, the input gives 5',
    ],
    [onnxFile({ ...LINEAR_GRAPH, input: [value('x')] }), 'ARCHITECTURE_INVALID', 'input x has shape []', 'the batch'],
    [onnxFile({ ...LINEAR_GRAPH, input: [value('x', 'batch', 0)] }), 'ARCHITECTURE_INVALID', 'size 0 of dimension 1'],
    [
      onnxFile({ ...LINEAR_GRAPH, input: [{ name: 'x', type: { value: { case: 'sequenceType', value: {} } } }] }),
      'ARCHITECTURE_INVALID',
      'x is no tensor',
    ],
    [
      onnxFile({
        ...LINEAR_GRAPH,
        initializer: [{ ...weight('fc.weight', 3, 4), dataType: TensorProto_DataType.STRING }],
      }),
      'ARCHITECTURE_INVALID',
      'initializer fc.weight',
      'STRING',
    ],
    [
      onnxFile({ ...LINEAR_GRAPH, initializer: [{ ...weight('fc.weight', 3, 4), dims: [3n, -4n] }] }),
      'ARCHITECTURE_INVALID',
      'impossible',
    ],
    [
      onnxFile({ ...LINEAR_GRAPH, initializer: [{ ...weight('fc.weight', 3, 4), dims: [2n ** 62n, 4n] }] }),
      'ARCHITECTURE_INVALID',
      'impossible',
    ],
    [
      onnxFile({ ...LINEAR_GRAPH, initializer: [{ ...weight('fc.weight', 3, 4), dims: [2n ** 20n, 2n ** 20n] }] }),
      'LIMIT_EXCEEDED',
      'parameter fc.weight',
    ],
    [
      onnxFile({ ...LINEAR_GRAPH, initializer: [weight('fc.weight', 3, 4), weight('fc.weight', 3, 4)] }),
      'ARCHITECTURE_INVALID',
      'two initializers are called fc.weight',
    ],
    [
      onnxFile({
        ...LINEAR_GRAPH,
        initializer: [weight('onnx::MatMul_131', 3, 4), weight('129', 3), weight('val_12', 2)],
        node: [gemm('x', 'onnx::MatMul_131')],
      }),
      'ARCHITECTURE_NOT_STATE_DICT_KEYS',
      '3 weights',
      'onnx::MatMul_131, 129, val_12',
      'do_constant_folding=False, keep_initializers_as_inputs=True',
      'dynamo=True, optimize=False',
      'TrainingMode.PRESERVE',
    ],
    [
      onnxFile({ ...LINEAR_GRAPH, initializer: Array.from({ length: 9 }, (_, i) => weight(`onnx::Conv_${i}`, 3)) }),
      'ARCHITECTURE_NOT_STATE_DICT_KEYS',
      '9 weights',
      'and 4 more',
    ],
    [
      onnxFile({ ...LINEAR_GRAPH, node: [gemm('x', 'fc.weight', 'y', [int('magic', 1)])] }),
      'ARCHITECTURE_INVALID',
      'attribute magic is not known',
    ],
    [
      onnxFile({ ...LINEAR_GRAPH, node: [gemm('x', 'fc.weight', 'y', [float('transB', 1)])] }),
      'ARCHITECTURE_INVALID',
      'attribute transB is of kind float',
    ],
    [
      onnxFile({ ...LINEAR_GRAPH, node: [gemm('x', 'fc.weight', 'y', [graphAttribute('transB')])] }),
      'ARCHITECTURE_INVALID',
      'attribute transB: its kind',
    ],
    [
      onnxFile({ ...LINEAR_GRAPH, node: [gemm('x', 'fc.weight', 'y', [int('transB', 2n ** 60n)])] }),
      'ARCHITECTURE_INVALID',
      'too large',
    ],
    [
      onnxFile({ ...LINEAR_GRAPH, node: [node('Relu', ['x', 'x'], ['y'])] }),
      'ARCHITECTURE_INVALID',
      'has 2 inputs, 1 are expected',
    ],
    [
      onnxFile({ ...LINEAR_GRAPH, node: [node('Mish', ['x'], ['y'])] }),
      'ARCHITECTURE_INVALID',
      'operator set 18, the graph declares 17',
    ],
    [
      onnxFile({ ...LINEAR_GRAPH, node: [node('ReduceMean', ['x'], ['y'], { attribute: [ints('axes', 0)] })] }),
      'ARCHITECTURE_INVALID',
      'combines the samples of a batch',
    ],
    [
      onnxFile({ ...LINEAR_GRAPH, node: [node('Shape', ['x'], ['y'])], output: [value('y', 2)] }),
      'ARCHITECTURE_INVALID',
      'output y has shape [2]',
      'one result for each sample',
    ],
    [
      onnxFile({
        ...LINEAR_GRAPH,
        initializer: [integers('target', 16, 2)],
        node: [node('Reshape', ['x', 'target'], ['y'])],
      }),
      'ARCHITECTURE_INVALID',
      'reshapes [N, 4] to [16, 2]',
      'dynamic_axes',
    ],
    [
      onnxFile({
        ...LINEAR_GRAPH,
        initializer: [{ ...integers('target', 0), dims: [3n] }],
        node: [node('Reshape', ['x', 'target'], ['y'])],
      }),
      'ARCHITECTURE_INVALID',
      'initializer target: it holds 8 bytes',
      'takes 24',
    ],
    [
      onnxFile({
        ...LINEAR_GRAPH,
        node: [node('Constant', [], ['c'], { attribute: [text('value_string', 'a')] }), node('Add', ['x', 'c'], ['y'])],
      }),
      'ARCHITECTURE_INVALID',
      'Constant_node',
      'no tensor of numbers',
    ],
    [
      onnxFile({
        ...LINEAR_GRAPH,
        node: [node('SplitToSequence', ['x'], ['s']), node('SequenceAt', ['s', 'x'], ['y'])],
      }),
      'ARCHITECTURE_UNSUPPORTED_OPERATOR',
      'SequenceAt',
      'sequences',
    ],
    [
      onnxFile({
        ...LINEAR_GRAPH,
        initializer: [integers('huge', 2 ** 30, 2 ** 30)],
        node: [node('ConstantOfShape', ['huge'], ['c']), node('Add', ['x', 'c'], ['y'])],
      }),
      'LIMIT_EXCEEDED',
      'ConstantOfShape',
    ],
    [
      onnxFile({
        ...LINEAR_GRAPH,
        initializer: [integers('at', 4)],
        node: [node('Gather', ['x', 'at'], ['y'], { attribute: [int('axis', 1)] })],
      }),
      'ARCHITECTURE_INVALID',
      'looks up 4 in an axis of size 4',
    ],
    [nestedFile(200), 'LIMIT_EXCEEDED', 'nested more than 64'],
  ]

  test.each(cases.map((one, i) => [i, ...one] as const))(
    'case %i is refused, saying where and what',
    (_, bytes, code, ...parts) => {
      expect(batch17.length).toBeGreaterThan(0)
      let error: unknown
      try {
        graphFromOnnx(bytes)
      } catch (thrown) {
        error = thrown
      }
      expect(error).toBeInstanceOf(AppError)
      expect((error as AppError).code).toBe(code)
      for (const part of parts) expect((error as AppError).message).toContain(part)
    },
  )

  test('a small file that would become very many objects is refused before it is decoded', () => {
    // Two bytes for each node: field 1, length 0.
    const nodes = new Uint8Array(20_000_000).map((_, i) => (i % 2 === 0 ? 0x0a : 0))
    const start = performance.now()
    expect(() => graphFromOnnx(message(7, nodes))).toThrow(/more than 2000000 parts/)
    // Whole numbers one by one, of which each byte is one: field 7 of an initializer (5).
    expect(() => graphFromOnnx(message(7, message(5, message(7, new Uint8Array(20_000_000)))))).toThrow(
      /numbers one by one/,
    )
    expect(performance.now() - start).toBeLessThan(10_000)
  })

  test('limits are named', () => {
    const bytes = fixtureBytes('digits_cnn.onnx')
    const limited = (limits: Partial<typeof DEFAULT_ARCHITECTURE_LIMITS>) => () =>
      graphFromOnnx(bytes, { ...DEFAULT_ARCHITECTURE_LIMITS, ...limits })
    expect(limited({ fileBytes: 1000 })).toThrow(/156154 bytes, the limit is 1000/)
    expect(limited({ nodes: 10 })).toThrow(/11 nodes, the limit is 10/)
    expect(limited({ parameters: 15 })).toThrow(/16 initializers, the limit is 15/)
    expect(limited({ parameterElements: 1000 })).toThrow(/parameter 3.weight/)
    expect(limited({ sampleElements: 600 })).toThrow(/limit is 600 elements/)
    expect(limited({ rank: 3 })).toThrow(/the limit is 3/)
  })
})

/** An encoded message with one length-delimited field. */
function message(field: number, content: Uint8Array): Uint8Array {
  const length: number[] = []
  for (let rest = content.length; ; rest >>>= 7) {
    length.push(rest > 127 ? (rest & 127) | 128 : rest)
    if (rest <= 127) break
  }
  const bytes = new Uint8Array(1 + length.length + content.length)
  bytes.set([(field << 3) | 2, ...length])
  bytes.set(content, 1 + length.length)
  return bytes
}

/** A graph in an attribute of a node of a graph, and so on. */
function nestedFile(depth: number): Uint8Array {
  let graph: Uint8Array = new Uint8Array()
  // GraphProto.node = 1, NodeProto.attribute = 5, AttributeProto.g = 6.
  for (let i = 0; i < depth; i++) graph = message(1, message(5, message(6, graph)))
  return message(7, graph)
}
