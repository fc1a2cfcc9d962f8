import * as part from '../checkpoint/build-pickle.ts'

/** A value with something of everything that a pickle may hold, so that few mutations miss. Its tensors are six floats of '0'. */
export const EVERYTHING = part.dict({
  state: part.build(
    part.setItems(part.ORDERED_DICT, part.str('w'), part.tensor()),
    part.dict({ _metadata: part.NONE }),
  ),
  view: part.tensor({ offset: part.int(1), size: [2, 2], stride: [1, 2] }),
  parameter: part.call(
    part.global('torch._utils', '_rebuild_parameter'),
    ...[part.tensor(), part.TRUE, part.ORDERED_DICT],
  ),
  numbers: part.list(part.int(2n ** 70n), part.float(0.5), part.int(-3)),
  others: part.tuple(
    part.call(part.global('__builtin__', 'set'), part.list(part.str('a'))),
    part.call(part.global('torch', 'device'), part.str('cuda'), part.int(0)),
    part.call(part.global('torch', 'Size'), part.tuple(part.int(2))),
    part.global('torch', 'float32'),
    part.call(part.global('_codecs', 'encode'), part.str('ÿ'), part.str('latin1')),
    Buffer.concat([part.list(part.TRUE), part.put(3), part.get(3)]),
  ),
  sparse: part.call(
    part.global('torch._utils', '_rebuild_sparse_tensor'),
    part.call(part.global('torch.serialization', '_get_layout'), part.str('torch.sparse_coo')),
    part.tuple(part.tensor(), part.tensor(), part.NONE),
  ),
  plain: part.list(
    part.build(part.call(part.global('argparse', 'Namespace')), part.dict({ lr: part.float(0.1) })),
    part.setItems(
      part.call(part.global('collections', 'defaultdict'), part.global('builtins', 'list')),
      ...[part.str('a'), part.int(1)],
    ),
    part.call(part.global('pathlib', 'PosixPath'), part.str('/'), part.str('data')),
    part.call(part.global('builtins', 'frozenset'), part.list(part.int(1))),
  ),
})
