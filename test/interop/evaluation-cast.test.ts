import { beforeAll, describe, expect, test } from '@jest/globals'
import { castBetween } from '../../src/evaluation/cast.ts'
import { itemSize, type DType } from '../../src/tensor/index.ts'
import { pythonHas, runPython } from './python.ts'

const withTorch = pythonHas('torch') ? describe : describe.skip

/** For each pair: bytes of a tensor, and the bytes of `empty.copy_(tensor)`. */
interface Answer {
  readonly from: DType
  readonly to: DType
  readonly source: string
  readonly target: string
}

const FLOATS = ['float16', 'bfloat16', 'float32', 'float64'] as const
const EIGHT = ['float8_e4m3fn', 'float8_e4m3fnuz', 'float8_e5m2', 'float8_e5m2fnuz', 'float8_e8m0fnu'] as const
const WHOLE = ['bool', 'uint8', 'int8', 'int16', 'int32', 'int64'] as const
const PAIRS: [DType, DType][] = [
  ...EIGHT.map((from): [DType, DType] => [from, 'float32']),
  ...FLOATS.flatMap((from) => FLOATS.filter((to) => to !== from).map((to): [DType, DType] => [from, to])),
  ...WHOLE.flatMap((from): [DType, DType][] => [
    [from, 'float32'],
    [from, 'float64'],
    [from, 'bfloat16'],
  ]),
  ...(['uint8', 'bool', 'int8', 'int32'] as const).map((from): [DType, DType] => [from, 'int64']),
  ['int64', 'int32'],
  ['float32', 'int64'],
  ['float64', 'int32'],
  ['float32', 'bool'],
]

const PROGRAM = `
import base64, json, sys, torch
torch.manual_seed(3)

def values(name):
    dtype = getattr(torch, name)
    if name.startswith("float8"):
        return torch.arange(256, dtype=torch.uint8).view(dtype)
    if name in ("float16", "bfloat16"):
        return torch.arange(65536, dtype=torch.int32).to(torch.uint16).view(dtype)
    if name == "bool":
        return torch.tensor([False, True, True, False])
    if dtype.is_floating_point:
        exponents = torch.cat([torch.randn(5000) * 4, torch.randn(5000) * 40]).double()
        x = torch.randn(10000, dtype=torch.float64) * torch.exp2(exponents)
        return torch.cat([x, torch.tensor([0.0, -0.0, float("inf"), -float("inf"), 1e-320, 65520, 65519.99, 3.4e38, 1e300])]).to(dtype)
    info = torch.iinfo(dtype)
    low, high = max(info.min, -2**53), min(info.max, 2**53)
    return torch.cat([torch.randint(low, high, (5000,)), torch.randint(-100 if low else 0, 100, (500,)), torch.tensor([low, high, 0, 1])]).to(dtype)

def encode(t):
    return base64.b64encode(t.contiguous().view(torch.uint8).numpy().tobytes()).decode()

answers = []
for source, target in json.load(sys.stdin):
    x = values(source)
    to = getattr(torch, target)
    if not to.is_floating_point and x.dtype.is_floating_point:
        # Out of range is undefined in C.
        x = x[torch.isfinite(x) & (x.abs() < 2**31)]
    if source == "int64" and target == "int32":
        x = x[x.abs() < 2**31]
    y = torch.empty(x.shape, dtype=to).copy_(x)
    answers.append({"from": source, "to": target, "source": encode(x), "target": encode(y)})
json.dump(answers, sys.stdout)
`

withTorch('conversions', () => {
  let answers: Answer[]
  beforeAll(() => {
    answers = JSON.parse(runPython(PROGRAM, PAIRS)) as Answer[]
  })

  test.each(PAIRS)('from %s to %s give the bits of Tensor.copy_', (from, to) => {
    const answer = answers.find((candidate) => candidate.from === from && candidate.to === to)!
    // Aligned memory of their own: Buffers may share theirs.
    const source = Uint8Array.from(Buffer.from(answer.source, 'base64'))
    const expected = Uint8Array.from(Buffer.from(answer.target, 'base64'))
    const target = new Uint8Array((source.byteLength / itemSize(from)) * itemSize(to))
    castBetween(from, to)(source, target)
    expect(target.byteLength).toBe(expected.byteLength)
    expect(differences(to, target, expected)).toEqual([])
  })
})

/** Elements whose bits differ; any NaN is as good as another. */
function differences(dtype: DType, found: Uint8Array, expected: Uint8Array): string[] {
  const size = itemSize(dtype)
  const different: string[] = []
  for (let at = 0; at < found.byteLength; at += size) {
    const [a, b] = [found, expected].map((bytes) =>
      Buffer.from(bytes.subarray(at, at + size))
        .reverse()
        .toString('hex'),
    )
    if (a !== b && !(isNaN(dtype, found, at) && isNaN(dtype, expected, at)))
      different.push(`${at / size}: ${a!} is not ${b!}`)
  }
  return different.slice(0, 5)
}

function isNaN(dtype: DType, bytes: Uint8Array, at: number): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at)
  if (dtype === 'float32') return Number.isNaN(view.getFloat32(0, true))
  if (dtype === 'float64') return Number.isNaN(view.getFloat64(0, true))
  if (dtype === 'float16') return (view.getUint16(0, true) & 0x7fff) > 0x7c00
  return dtype === 'bfloat16' && (view.getUint16(0, true) & 0x7fff) > 0x7f80
}
