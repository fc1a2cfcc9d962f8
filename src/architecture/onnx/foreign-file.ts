const LATIN1 = new TextDecoder('latin1')

/** What bytes that are no ONNX model look like, in words; null when they could be one. */
export function foreignFile(bytes: Uint8Array): string | null {
  if (bytes.byteLength === 0) return 'the file is empty'
  const start = LATIN1.decode(bytes.subarray(0, 64)).trimStart()
  if (start.startsWith('<')) return 'the file looks like HTML or XML: a download may have saved an error page'
  if (start.startsWith('version https://git-lfs'))
    return 'the file is a Git LFS pointer, not the model: fetch it with `git lfs pull`'
  if (start.startsWith('PK\x03\x04'))
    return 'the file is a zip archive, such as a .pth checkpoint or a .pt2 program; an ONNX file or a layer list is expected'
  if (start.startsWith('\x80\x02') || start.startsWith('\x80\x04'))
    return 'the file is a Python pickle; an ONNX file or a layer list is expected'
  if (start.startsWith('{') || start.startsWith('['))
    return 'the file looks like JSON; a layer list is JSON, an ONNX file is binary'
  return null
}
