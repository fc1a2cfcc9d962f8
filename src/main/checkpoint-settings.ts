import { DEFAULT_CHECKPOINT_LIMITS } from '../checkpoint/index.ts'
import { byteCount, setting, wholeNumber } from './setting.ts'

const { zip, safetensors, pickle, tensor, sharded } = DEFAULT_CHECKPOINT_LIMITS

/** What a checkpoint file may hold; docs/checkpoints.md says what each bounds. What exceeds one is refused with LIMIT_EXCEEDED. */
export const CHECKPOINT_SETTINGS = {
  checkpointTensors: setting({
    env: ['NOGRAD_CHECKPOINT_MAX_TENSORS'],
    description: 'Tensors of one checkpoint, in all of its files.',
    schema: wholeNumber(1, 10_000_000),
    fallback: tensor.maxTensors,
  }),
  checkpointExpandedBytes: setting({
    env: ['NOGRAD_CHECKPOINT_MAX_EXPANDED_BYTES'],
    description: 'Bytes that a view which is larger than its storage (`expand`) may stand for.',
    defaultText: '1GiB',
    schema: byteCount,
    fallback: tensor.maxExpandedBytes,
  }),
  checkpointShards: setting({
    env: ['NOGRAD_CHECKPOINT_MAX_SHARDS'],
    description: 'Files of one sharded checkpoint; all are open at once.',
    schema: wholeNumber(1, 100_000),
    fallback: sharded.maxShards,
  }),
  checkpointPickleBytes: setting({
    env: ['NOGRAD_CHECKPOINT_MAX_PICKLE_BYTES'],
    description: 'Bytes of the pickle of a file of torch.save, without its tensors. It is held in memory.',
    defaultText: '64MiB',
    schema: byteCount,
    fallback: pickle.maxBytes,
  }),
  checkpointPickleOpcodes: setting({
    env: ['NOGRAD_CHECKPOINT_MAX_PICKLE_OPCODES'],
    description: 'Opcodes of a pickle. A tensor takes about 30.',
    schema: wholeNumber(1, 1_000_000_000),
    fallback: pickle.maxOperations,
  }),
  checkpointPickleObjects: setting({
    env: ['NOGRAD_CHECKPOINT_MAX_PICKLE_OBJECTS'],
    description:
      'Values of a pickle that are more than a number or a string. A tensor takes about 8, and some 200 bytes of memory each.',
    schema: wholeNumber(1, 100_000_000),
    fallback: pickle.maxObjects,
  }),
  checkpointPickleMemo: setting({
    env: ['NOGRAD_CHECKPOINT_MAX_PICKLE_MEMO'],
    description: 'Highest memo index of a pickle.',
    schema: wholeNumber(1, 1_000_000_000),
    fallback: pickle.maxMemo,
  }),
  checkpointDepth: setting({
    env: ['NOGRAD_CHECKPOINT_MAX_DEPTH'],
    description: 'Levels of values inside of values.',
    schema: wholeNumber(1, 100_000),
    fallback: pickle.maxDepth,
  }),
  checkpointStringBytes: setting({
    env: ['NOGRAD_CHECKPOINT_MAX_STRING_BYTES'],
    description: 'Bytes of one string or bytes object of a pickle; numpy arrays are such.',
    defaultText: '16MiB',
    schema: byteCount,
    fallback: pickle.maxStringBytes,
  }),
  checkpointIntegerBytes: setting({
    env: ['NOGRAD_CHECKPOINT_MAX_INTEGER_BYTES'],
    description: 'Bytes of one integer of a pickle. Reading one takes time by the square of them.',
    schema: wholeNumber(8, 65_536),
    fallback: pickle.maxIntegerBytes,
  }),
  checkpointInflatedBytes: setting({
    env: ['NOGRAD_CHECKPOINT_MAX_INFLATED_BYTES'],
    description: 'Bytes to which all compressed entries of a zip may inflate together.',
    defaultText: '8GiB',
    schema: byteCount,
    fallback: zip.maxInflatedBytes,
  }),
  checkpointInflateRatio: setting({
    env: ['NOGRAD_CHECKPOINT_MAX_INFLATE_RATIO'],
    description: 'How many times its compressed size an entry of more than 64 MiB may inflate to.',
    schema: wholeNumber(1, 2000),
    fallback: zip.maxInflateRatio,
  }),
  checkpointHeaderBytes: setting({
    env: ['NOGRAD_CHECKPOINT_MAX_HEADER_BYTES'],
    description: 'Bytes of the header of a safetensors file. The format itself allows 100,000,000.',
    defaultText: '32MiB',
    schema: byteCount,
    fallback: safetensors.maxHeaderBytes,
  }),
}
