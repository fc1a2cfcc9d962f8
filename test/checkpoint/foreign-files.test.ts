import { describe, expect, test } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { open, torchFile } from './build-checkpoint.ts'
import { legacyFile, legacyStorage, legacyTensor } from './build-legacy.ts'
import { BINPERSID, call, dict, global, list, pickle, str, tensor, tuple } from './build-pickle.ts'

const fixture = (name: string): Buffer => readFileSync(new URL(`../fixtures/${name}`, import.meta.url))
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')
/** A tar of empty files with these names. */
function tarOf(...names: readonly string[]): Buffer {
  return Buffer.concat(
    names.map((name) => {
      const block = Buffer.alloc(512)
      block.write(name)
      block.write('00000000000\0', 124)
      block.write('ustar\0', 257)
      return block
    }),
  )
}
const torchTar = (): Buffer => tarOf('sys_info', 'pickle', 'tensors', 'storages')
const lfs = 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 46827520\n'
const UNKNOWN = 'CHECKPOINT_UNKNOWN_FORMAT'

describe('a file that is no checkpoint is called by its name, and the cure is told:', () => {
  test.each<[string, Uint8Array | string, string, RegExp]>([
    ['nothing', '', UNKNOWN, /empty \(0 bytes\)/],
    ['a Git LFS pointer', lfs, UNKNOWN, /Git LFS pointer.*git lfs pull/],
    ['an HTML page', '<!DOCTYPE html>\n<html><title>Sign in</title>', UNKNOWN, /HTML page.*download the file itself/],
    ['an HTML page after blank lines', '\n\n  <html lang="en">', UNKNOWN, /HTML page/],
    ['an HTML page with a byte order mark', '\ufeff<!doctype HTML>', UNKNOWN, /HTML page/],
    ['the error message of a store', '<?xml version="1.0"?><Error><Code>AccessDenied</Code>', UNKNOWN, /XML/],
    ['JSON', '{"error": "not found"}', UNKNOWN, /JSON text/],
    ['text', 'hello', UNKNOWN, /no checkpoint format.*begins with "hello"/],
    ['a tar archive', tarOf('model.pth'), UNKNOWN, /tar archive/],
    ['gzip', gzipSync(torchFile(tensor())), UNKNOWN, /gzip.*Unpack/],
    ['7-Zip', hex('377abcaf271c 0004'), UNKNOWN, /7-Zip/],
    ['bzip2', 'BZh91AY&SY', UNKNOWN, /bzip2/],
    ['xz', hex('fd377a585a00 00'), UNKNOWN, /xz/],
    ['Zstandard', hex('28b52ffd 00'), UNKNOWN, /Zstandard/],
    ['PNG', hex('89504e470d0a1a0a 0000000d49484452'), UNKNOWN, /PNG/],
    ['JPEG', hex('ffd8ffe0 00104a464946'), UNKNOWN, /JPEG/],
    ['HDF5', hex('894844460d0a1a0a 00'), UNKNOWN, /HDF5.*Keras/],
    ['GGUF', 'GGUF\x03\0\0\0', UNKNOWN, /GGUF/],
    ['NumPy', fixture('digits_cnn.logits.npy'), UNKNOWN, /NumPy array/],
    ['ONNX', fixture('digits_cnn.onnx'), UNKNOWN, /ONNX.*architecture/],
    ['a NumPy archive', fixture('digits_test.npz'), UNKNOWN, /NumPy archive.*dataset/],
    ['zeros', Buffer.alloc(5000), UNKNOWN, /zero bytes/],
    ['an empty zip', hex('504b0506 000000000000000000000000000000000000'), UNKNOWN, /empty zip/],
    [
      'a plain pickle',
      Buffer.concat([hex('8004'), dict({ a: list() }), Buffer.from('.')]),
      UNKNOWN,
      /pickle\.dump.*torch\.save/,
    ],
    ['the tar of PyTorch 0.1', torchTar(), 'CHECKPOINT_UNSUPPORTED', /tar format of PyTorch 0\.1\.9/],
    ['the index of shards', '{"metadata": {}, "weight_map": {"a": "b"}}', 'CHECKPOINT_UNSUPPORTED', /Give the shards/],
    [
      'PyTorch before 1.6 that was cut',
      fixture('digits_cnn_legacy.pth').subarray(0, 9000),
      'CHECKPOINT_CORRUPT',
      /cut/,
    ],
    ['a torch zip that was cut', fixture('digits_cnn.pth').subarray(0, 100_000), 'CHECKPOINT_CORRUPT', /cut/],
    [
      'a safetensors file that was cut',
      fixture('digits_cnn.safetensors').subarray(0, 9000),
      'CHECKPOINT_CORRUPT',
      /cut/,
    ],
    [
      'the first bytes of a safetensors file',
      fixture('digits_cnn.safetensors').subarray(0, 7),
      UNKNOWN,
      /no checkpoint format/,
    ],
  ])('%s', async (_name, content, code, message) => {
    await expect(open(Buffer.from(content))).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  })
})

describe('a pickle outside of a zip is searched for what could do harm:', () => {
  const evil = call(global('os', 'system'), str('id'))
  const legacy = (value: Buffer): Buffer => legacyFile(value, [])

  test.each<[string, Buffer, string, RegExp]>([
    ['a plain pickle', pickle(evil), 'CHECKPOINT_UNSAFE_GLOBAL', /os\.system, which runs a command/],
    ['a text pickle', Buffer.from("cposix\nsystem\n(S'id'\ntR."), 'CHECKPOINT_UNSAFE_GLOBAL', /posix\.system/],
    ['a legacy checkpoint', legacy(evil), 'CHECKPOINT_UNSAFE_GLOBAL', /os\.system/],
    [
      'a legacy checkpoint, behind tensors',
      legacy(list(legacyTensor(legacyStorage('FloatStorage', '1', 6), [6], [1]), evil)),
      'CHECKPOINT_UNSAFE_GLOBAL',
      /os\.system/,
    ],
    ['a pickled module', pickle(module(global('__main__', 'Net'))), 'CHECKPOINT_WHOLE_MODULE', /__main__\.Net/],
    ['a legacy module', legacy(module(legacyClass('__main__', 'Net'))), 'CHECKPOINT_WHOLE_MODULE', /__main__\.Net/],
  ])('%s', async (_name, bytes, code, message) => {
    await expect(open(bytes)).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  })

  /** As torch.save wrote a class then: with its source. */
  function legacyClass(module: string, name: string): Buffer {
    const id = tuple(str('module'), global(module, name), str('/home/x/net.py'), str('class Net: pass'))
    return Buffer.concat([id, BINPERSID])
  }

  function module(cls: Buffer): Buffer {
    const state = dict({ _parameters: dict({}), _modules: dict({}) })
    return Buffer.concat([cls, hex('29 81'), state, hex('62')])
  }
})
