import { describe, expect, test } from '@jest/globals'
import { DEFAULT_CHECKPOINT_LIMITS } from '../../src/checkpoint/index.ts'
import { buildZip } from '../container/build-zip.ts'
import { open, openValue, torchEntries } from './build-checkpoint.ts'
import {
  BINPERSID,
  build,
  BUILD,
  call,
  dict,
  EMPTY_DICT,
  EMPTY_LIST,
  EMPTY_TUPLE,
  FALSE,
  get,
  global,
  int,
  list,
  MARK,
  NEWOBJ,
  NONE,
  ORDERED_DICT,
  pickle,
  put,
  REDUCE,
  setItems,
  storage,
  str,
  tensor,
  tuple,
  type Part,
} from './build-pickle.ts'

const raw = (hex: string): Part => Buffer.from(hex.replaceAll(' ', ''), 'hex')
const repeat = (part: Part, times: number): Part => Buffer.concat(Array<Part>(times).fill(part))

async function refused(value: Part, code: string, message: RegExp): Promise<void> {
  await expect(openValue(value)).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
}

describe('a pickle that names something dangerous is refused, with its name, place and danger:', () => {
  const CODE = 'CHECKPOINT_UNSAFE_GLOBAL'

  test.each<[string, Part, RegExp]>([
    ['os.system', call(global('os', 'system'), str('id')), /data\.pkl, byte 2: .* os\.system, which runs a command/],
    ['posix.system', call(global('posix', 'system'), str('id')), /posix\.system, which runs a command/],
    ['nt.system', call(global('nt', 'system'), str('id')), /nt\.system, which runs a command/],
    ['subprocess.Popen', call(global('subprocess', 'Popen'), str('id')), /subprocess\.Popen, which runs a command/],
    ['commands of Python 2', call(global('commands', 'getoutput'), str('id')), /subprocess\.getoutput, which runs/],
    ['eval', call(global('builtins', 'eval'), str('1')), /builtins\.eval, which evaluates Python code/],
    ['eval of Python 2', call(global('__builtin__', 'eval'), str('1')), /builtins\.eval, which evaluates/],
    ['exec', call(global('builtins', 'exec'), str('1')), /builtins\.exec, which evaluates/],
    [
      'getattr',
      call(global('builtins', 'getattr'), global('torch', 'Tensor'), str('x')),
      /builtins\.getattr, which reaches/,
    ],
    ['open', call(global('io', 'open'), str('/etc/passwd')), /io\.open, which reads or writes files/],
    ['torch.load', call(global('torch', 'load'), str('x')), /torch\.load, which loads another pickle/],
    ['torch.hub.load', call(global('torch.hub', 'load'), str('x')), /torch\.hub\.load, which loads another pickle/],
    [
      'torch.hub.load by a dotted name',
      raw('8c05 746f726368 8c08 6875622e6c6f6164 93'),
      /torch\.hub\.load, which loads/,
    ],
    ['runpy', call(global('runpy', 'run_path'), str('x')), /runpy\.run_path, which evaluates/],
    ['pip', call(global('pip', 'main'), list(str('install'))), /pip\.main, which installs packages/],
    ['a socket', call(global('socket', 'socket')), /socket\.socket, which talks to the network/],
    ['an import', call(global('importlib', 'import_module'), str('x')), /import_module, which imports a module/],
    ['ctypes', call(global('ctypes', 'CDLL'), str('x')), /ctypes\.CDLL, which loads native code/],
    ['by protocol 4', raw('8c02 6f73 8c06 73797374656d 93 8c02 6964 85 52'), /os\.system, which runs a command/],
    ['by INST', raw('28 69 6f730a 73797374656d0a'), /os\.system, which runs a command/],
    ['by OBJ', Buffer.concat([MARK, global('os', 'system'), str('id'), raw('6f')]), /os\.system, which runs a command/],
    ['by NEWOBJ', Buffer.concat([global('os', '_wrap_close'), EMPTY_TUPLE, NEWOBJ]), /os\._wrap_close, which runs/],
    ['never called', dict({ weight: tensor(), note: global('os', 'system') }), /os\.system, which runs a command/],
    ['thrown away', Buffer.concat([call(global('os', 'system'), str('id')), raw('30'), tensor()]), /os\.system/],
    ['before a broken end', Buffer.concat([call(global('os', 'system'), str('id')), raw('ff')]), /os\.system/],
    [
      'behind a harmless name',
      list(call(global('mylib', 'Config')), call(global('os', 'system'))),
      /os\.system.*Also named: mylib\.Config/,
    ],
  ])('%s', async (_name, value, message) => {
    await refused(value, CODE, message)
    await refused(value, CODE, /Nothing was executed/)
  })

  test.each<[string, Part, RegExp]>([
    [
      'omegaconf, with the cure',
      build(Buffer.concat([global('omegaconf.dictconfig', 'DictConfig'), EMPTY_TUPLE, NEWOBJ]), EMPTY_DICT),
      /closed list.*imports the module omegaconf\.dictconfig, which runs its code, and instantiates its class DictConfig.*to_container/,
    ],
    [
      'a function of a user',
      call(global('mylib', 'make')),
      /imports the module mylib, which runs its code, and calls its make/,
    ],
    ['a name that is not used', global('mylib', 'make'), /imports the module mylib, which runs its code\. Nothing/],
    [
      'a class of a user',
      call(global('mylib.config', 'Config')),
      /mylib\.config\.Config, which is not on the closed list/,
    ],
    ['a class of torch that is no module', global('torch.optim.adam', 'Adam'), /torch\.optim\.adam\.Adam/],
    [
      'a module class that is not pickled itself',
      dict({ act: global('torch.nn.modules.activation', 'ReLU') }),
      /ReLU, which is not/,
    ],
    ['a name that fakes a line of a log', global('os\u001b[2K', 'x'), /"os\\u001b\[2K\.x"/],
  ])('or unknown: %s', async (_name, value, message) => refused(value, CODE, message))
})

describe('a whole pickled module is refused by its classes:', () => {
  const moduleState = dict({ training: FALSE, _parameters: EMPTY_DICT, _modules: EMPTY_DICT })
  const pickled = (module: string, name: string, state = moduleState): Part =>
    build(Buffer.concat([global(module, name), EMPTY_TUPLE, NEWOBJ]), state)

  test.each<[string, Part, RegExp]>([
    ['of a user', pickled('models.resnet', 'ResNet'), /whole pickled module \(models\.resnet\.ResNet\)/],
    ['of torch', pickled('torch.nn.modules.linear', 'Linear'), /\(torch\.nn\.modules\.linear\.Linear\)/],
    ['in a dict', dict({ epoch: int(1), model: pickled('__main__', 'Net') }), /\(__main__\.Net\)/],
    ['that was compiled', pickled('torch._dynamo.eval_frame', 'OptimizedModule'), /OptimizedModule/],
    [
      'that holds a partial',
      list(pickled('__main__', 'Net'), call(global('functools', 'partial'))),
      /\(__main__\.Net\)/,
    ],
    [
      'that is cut off',
      Buffer.concat([global('torch.nn.modules.linear', 'Linear'), EMPTY_TUPLE, NEWOBJ, raw('ff')]),
      /Linear/,
    ],
  ])('%s', async (_name, value, message) => refused(value, 'CHECKPOINT_WHOLE_MODULE', message))

  test('but not when it would run a command as well', async () => {
    await refused(
      list(pickled('__main__', 'Net'), call(global('os', 'system'))),
      'CHECKPOINT_UNSAFE_GLOBAL',
      /os\.system/,
    )
  })
})

describe('opcodes on the wrong values are refused:', () => {
  test.each<[string, Part, string, RegExp]>([
    [
      'SETITEM on a tensor',
      Buffer.concat([tensor(), str('a'), int(1), raw('73')]),
      'CHECKPOINT_CORRUPT',
      /SETITEM changes a dict.*not a torch\.Tensor/,
    ],
    ['SETITEM on a list', Buffer.concat([EMPTY_LIST, int(0), int(1), raw('73')]), 'CHECKPOINT_CORRUPT', /SETITEM/],
    ['SETITEMS on a class', setItems(global('torch', 'Tensor'), str('a'), int(1)), 'CHECKPOINT_CORRUPT', /SETITEMS/],
    ['SETITEMS without a value', setItems(EMPTY_DICT, str('a')), 'CHECKPOINT_CORRUPT', /no value/],
    ['a list as a key', setItems(EMPTY_DICT, EMPTY_LIST, int(1)), 'CHECKPOINT_CORRUPT', /hash/],
    ['APPEND on a dict', Buffer.concat([EMPTY_DICT, int(1), raw('61')]), 'CHECKPOINT_CORRUPT', /APPEND/],
    ['APPEND on a string', Buffer.concat([str('a'), int(1), raw('61')]), 'CHECKPOINT_CORRUPT', /APPEND.*str/],
    ['BUILD on a dict', build(EMPTY_DICT, EMPTY_DICT), 'CHECKPOINT_CORRUPT', /BUILD/],
    ['BUILD on a tensor', build(tensor(), EMPTY_TUPLE), 'CHECKPOINT_UNSUPPORTED', /0\.3/],
    ['BUILD on a class', build(global('torch', 'Tensor'), EMPTY_DICT), 'CHECKPOINT_CORRUPT', /BUILD/],
    ['BUILD twice', build(build(ORDERED_DICT, EMPTY_DICT), EMPTY_DICT), 'CHECKPOINT_CORRUPT', /twice/],
    ['REDUCE of a string', call(str('os.system'), str('id')), 'CHECKPOINT_CORRUPT', /REDUCE calls should be a global/],
    ['REDUCE of a tensor', call(tensor()), 'CHECKPOINT_CORRUPT', /REDUCE/],
    ['REDUCE without a tuple', Buffer.concat([global('torch', 'Size'), int(1), REDUCE]), 'CHECKPOINT_CORRUPT', /tuple/],
    ['a call of a dtype', call(global('torch', 'float32')), 'CHECKPOINT_UNSUPPORTED', /no torch\.save writes/],
    [
      'an allocation of 10^12 floats',
      call(global('torch', 'FloatTensor'), int(10 ** 12)),
      'CHECKPOINT_UNSUPPORTED',
      /torch\.FloatTensor/,
    ],
    [
      'an allocation of 10^12 bytes',
      call(global('builtins', 'bytearray'), int(10 ** 12)),
      'CHECKPOINT_CORRUPT',
      /bytearray/,
    ],
    [
      'a new tensor',
      Buffer.concat([global('torch', 'Tensor'), EMPTY_TUPLE, NEWOBJ]),
      'CHECKPOINT_UNSUPPORTED',
      /NEWOBJ/,
    ],
    [
      'bytes by another codec',
      call(global('_codecs', 'encode'), str('x'), str('zlib')),
      'CHECKPOINT_UNSUPPORTED',
      /zlib/,
    ],
    ['bytes above 255', call(global('_codecs', 'encode'), str('Ā'), str('latin1')), 'CHECKPOINT_CORRUPT', /255/],
    ['a rebuild that calls itself', selfCalling(3), 'CHECKPOINT_CORRUPT', /calls itself/],
    ['an empty stack', raw(''), 'CHECKPOINT_CORRUPT', /empty stack/],
    ['a value below a MARK', Buffer.concat([int(1), MARK, raw('85')]), 'CHECKPOINT_CORRUPT', /empty stack/],
    ['TUPLE without a MARK', raw('74'), 'CHECKPOINT_CORRUPT', /no MARK/],
    ['a memo that was not written', get(3), 'CHECKPOINT_CORRUPT', /memo 3/],
    ['a persistent id that is a string', Buffer.concat([str('0'), BINPERSID]), 'CHECKPOINT_CORRUPT', /persistent id/],
    [
      'a persistent id of something else',
      Buffer.concat([tuple(str('module'), NONE, NONE, NONE, NONE), BINPERSID]),
      'CHECKPOINT_CORRUPT',
      /no storage/,
    ],
    ['no opcode', raw('ff'), 'CHECKPOINT_CORRUPT', /0xff is no pickle opcode/],
    ['an extension', raw('82 01'), 'CHECKPOINT_UNSUPPORTED', /EXT1/],
    ['a text opcode', Buffer.from("S'x'\n"), 'CHECKPOINT_UNSUPPORTED', /STRING/],
    ['protocol 6', raw('80 06'), 'CHECKPOINT_UNSUPPORTED', /protocol 6/],
    [
      'a list that contains itself',
      Buffer.concat([EMPTY_LIST, put(0), get(0), raw('61')]),
      'CHECKPOINT_UNSUPPORTED',
      /contains itself/,
    ],
    ['a string that is no UTF-8', raw('58 01000000 ff'), 'CHECKPOINT_UNSUPPORTED', /UTF-8/],
  ])('%s', async (_name, value, code, message) => refused(value, code, message))

  function selfCalling(depth: number): Part {
    const rebuild = global('torch._tensor', '_rebuild_from_type_v2')
    let args = tuple(tensor())
    for (let i = 0; i < depth; i++) args = tuple(rebuild, global('torch', 'Tensor'), args, NONE)
    return Buffer.concat([rebuild, args, REDUCE])
  }

  test('a pickle without an end', async () => {
    const data = Buffer.from([0x80, 2, 0x4e])
    await expect(open(buildZip(torchEntries(data)))).rejects.toMatchObject({
      code: 'CHECKPOINT_CORRUPT',
      message: expect.stringContaining('without STOP'),
    })
  })

  test('a pickle that ends in the middle of anything', async () => {
    const whole = pickle(dict({ a: tensor(), b: list(int(2n ** 70n), str('x')) }))
    for (let length = 0; length < whole.length; length++)
      await expect(open(buildZip(torchEntries(whole.subarray(0, length))))).rejects.toMatchObject({
        code: 'CHECKPOINT_CORRUPT',
      })
  })
})

describe('sizes are checked before anything is allocated:', () => {
  test.each<[string, Part, string, RegExp]>([
    ['a memo index of 2^31 - 1', Buffer.concat([NONE, put(2 ** 31 - 1)]), 'LIMIT_EXCEEDED', /memo index 2147483647/],
    ['an int of 2^31 - 1 bytes', raw('8b ffffff7f'), 'LIMIT_EXCEEDED', /integer of 2147483647 bytes/],
    ['an int of negative length', raw('8b ffffffff'), 'CHECKPOINT_CORRUPT', /negative/],
    ['a string of 2^32 - 1 bytes', raw('58 ffffffff 61'), 'CHECKPOINT_CORRUPT', /4294967295 bytes are announced/],
    ['a string of 2^64 - 1 bytes', raw('8d ffffffffffffffff 61'), 'CHECKPOINT_CORRUPT', /announced/],
    ['a frame of 2^63 bytes', raw('95 0000000000000080'), 'CHECKPOINT_CORRUPT', /frame/],
    [
      'lists nested 100,000 deep',
      Buffer.concat([repeat(EMPTY_LIST, 100_000), repeat(raw('61'), 99_999)]),
      'LIMIT_EXCEEDED',
      /nested/,
    ],
    [
      'tuples nested a million deep',
      Buffer.concat([EMPTY_TUPLE, repeat(raw('85'), 1_000_000)]),
      'LIMIT_EXCEEDED',
      /nested/,
    ],
    [
      'three million lists and more',
      Buffer.concat([MARK, repeat(EMPTY_LIST, 3_000_001), raw('74')]),
      'LIMIT_EXCEEDED',
      /objects/,
    ],
    [
      'ten million opcodes and more',
      Buffer.concat([NONE, repeat(raw('32 30'), 5_000_001)]),
      'LIMIT_EXCEEDED',
      /opcodes/,
    ],
    [
      'a name of a megabyte',
      Buffer.concat([raw('63'), Buffer.alloc(1 << 20, 'a'), raw('0a 61 0a')]),
      'CHECKPOINT_CORRUPT',
      /name of 1048576/,
    ],
  ])('%s', async (_name, value, code, message) => refused(value, code, message))

  test('a list that is copied again and again', async () => {
    const thousand = Buffer.concat([list(...Array<Part>(1000).fill(NONE)), put(0)])
    const copy = Buffer.concat([global('builtins', 'set'), get(0), raw('85'), REDUCE])
    await refused(Buffer.concat([thousand, MARK, repeat(copy, 4000), raw('74')]), 'LIMIT_EXCEEDED', /objects/)
  })

  test('a string that is encoded again and again', async () => {
    const text = Buffer.concat([str('x'.repeat(1 << 20)), put(0)])
    const encode = call(global('_codecs', 'encode'), get(0), str('latin1'))
    await refused(Buffer.concat([text, MARK, repeat(encode, 100), raw('74')]), 'LIMIT_EXCEEDED', /objects/)
  })

  test('integers of 255 bytes are fine, and many of them too', async () => {
    const integer = Buffer.concat([raw('8a ff'), Buffer.alloc(255, 0x7f)])
    const { tree } = await openValue(Buffer.concat([MARK, repeat(integer, 10_000), raw('74')]))
    expect(tree.nodes).toHaveLength(2)
  })

  test('a data.pkl longer than the limit', async () => {
    const limits = { ...DEFAULT_CHECKPOINT_LIMITS, pickle: { ...DEFAULT_CHECKPOINT_LIMITS.pickle, maxBytes: 10 } }
    await expect(openValue(str('more than ten bytes'), {}, limits)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
  })
})

describe('tensors outside of their storage are refused:', () => {
  const six = (offset: number, size: readonly number[], stride: readonly number[]): Part =>
    tensor({ offset: int(offset), size, stride })

  test.each<[string, Part, string, RegExp]>([
    ['one element too long', six(0, [7], [1]), 'CHECKPOINT_CORRUPT', /more than the 6 elements/],
    ['an offset past the end', six(1, [2, 3], [3, 1]), 'CHECKPOINT_CORRUPT', /more than the 6/],
    ['a stride past the end', six(0, [2, 3], [4, 1]), 'CHECKPOINT_CORRUPT', /more than the 6/],
    ['a negative offset', six(-1, [2], [1]), 'CHECKPOINT_CORRUPT', /negative/],
    ['a negative size', six(0, [-2], [1]), 'CHECKPOINT_CORRUPT', /negative/],
    ['a negative stride', six(5, [6], [-1]), 'CHECKPOINT_CORRUPT', /negative/],
    ['more strides than sizes', six(0, [2], [1, 1]), 'CHECKPOINT_CORRUPT', /1 dimensions has 2 strides/],
    ['65 dimensions', six(0, Array<number>(65).fill(1), Array<number>(65).fill(1)), 'LIMIT_EXCEEDED', /65 dimensions/],
    ['10^12 elements by stride 0', six(0, [10 ** 6, 10 ** 6], [0, 0]), 'LIMIT_EXCEEDED', /expanded/],
    ['sizes whose product overflows', six(0, [2 ** 40, 2 ** 40], [0, 0]), 'LIMIT_EXCEEDED', /counted/],
    ['empty sizes whose product overflows', six(0, [2 ** 40, 2 ** 40, 0], [0, 0, 0]), 'LIMIT_EXCEEDED', /counted/],
    ['an empty tensor at offset 2^40', six(2 ** 40, [0], [1]), 'CHECKPOINT_CORRUPT', /more than the 6/],
    ['an extent that overflows', six(2 ** 53 - 1, [2, 2], [2 ** 53 - 1, 1]), 'CHECKPOINT_CORRUPT', /more than the 6/],
    ['a size beyond 2^53', tensor({ size: [2n ** 60n], stride: [1] }), 'CHECKPOINT_CORRUPT', /int below 2\^53/],
    [
      'an offset that is a string',
      tensor({ offset: str('0') }),
      'CHECKPOINT_CORRUPT',
      /storage offset should be an int/,
    ],
    ['a storage that is none', tensor({ storage: int(0) }), 'CHECKPOINT_CORRUPT', /storage of a tensor should be/],
    ['requires_grad that is none', tensor({ requiresGrad: int(0) }), 'CHECKPOINT_CORRUPT', /requires_grad/],
    ['backward hooks', tensor({ hooks: setItems(ORDERED_DICT, int(0), NONE) }), 'CHECKPOINT_UNSUPPORTED', /hooks/],
    [
      'a lazy conjugate',
      tensor({ metadata: dict({ conj: Buffer.from([0x88]) }) }),
      'CHECKPOINT_UNSUPPORTED',
      /resolve_conj/,
    ],
  ])('%s', async (_name, value, code, message) => refused(value, code, message))

  test.each<[string, Part, readonly number[]]>([
    ['a scalar', six(5, [], []), []],
    ['an empty slice past the end, as x[::3][4:] has it', six(12, [0], [3]), [0]],
    ['an expanded view', six(0, [1000, 3], [0, 1]), [1000, 3]],
    ['overlapping windows', six(0, [4, 3], [1, 1]), [4, 3]],
  ])('but not %s', async (_name, value, shape) => {
    const { tensors } = await openValue(value)
    expect(tensors[0]!.shape).toEqual(shape)
  })
})

describe('storages that do not fit their records are refused:', () => {
  const of = (cls: string, key: string, numel: number | bigint): Part =>
    tensor({ storage: storage(cls, key, numel), size: [1], stride: [1] })

  test.each<[string, Part, string, RegExp]>([
    ['one element too many', of('FloatStorage', '0', 7), 'CHECKPOINT_CORRUPT', /should have 28 bytes.*record has 24/],
    ['one element too few', of('FloatStorage', '0', 5), 'CHECKPOINT_CORRUPT', /should have 20 bytes/],
    ['another type', of('DoubleStorage', '0', 6), 'CHECKPOINT_CORRUPT', /should have 48 bytes/],
    ['2^40 elements', of('FloatStorage', '0', 2 ** 40), 'CHECKPOINT_CORRUPT', /4398046511104 bytes/],
    ['2^62 elements', of('FloatStorage', '0', 2n ** 62n), 'CHECKPOINT_CORRUPT', /length of a storage/],
    ['negative elements', of('FloatStorage', '0', -6), 'CHECKPOINT_CORRUPT', /-6 elements/],
    ['a record that is missing', of('FloatStorage', '1', 6), 'CHECKPOINT_CORRUPT', /"data\/1" is missing/],
    ['a path out of the folder', of('FloatStorage', '../data.pkl', 6), 'CHECKPOINT_CORRUPT', /missing/],
    ['a class that is no storage', of('Size', '0', 6), 'CHECKPOINT_CORRUPT', /no storage class/],
    ['half bytes', of('QUInt4x2Storage', '0', 24), 'CHECKPOINT_UNSUPPORTED', /dequantize/],
    [
      'one key with two types',
      list(of('FloatStorage', '0', 6), of('IntStorage', '0', 6)),
      'CHECKPOINT_CORRUPT',
      /twice/,
    ],
  ])('%s', async (_name, value, code, message) => refused(value, code, message))
})

test('BUILD on a foreign object changes nothing and crashes nothing', async () => {
  const value = Buffer.concat([global('a', 'B'), tuple(int(1)), BUILD, NONE, BUILD])
  await refused(value, 'CHECKPOINT_UNSAFE_GLOBAL', /a\.B/)
})
