"""Writes pairs of random tensors of every dtype into FOLDER/pairs.pth and prints their statistics and distances.

The numbers are exact to the last digit or nearly: sums are of whole numbers, roots of 60-digit decimals.
usage: statistics_random.py FOLDER SEED
"""
import json
import math
import sys
from decimal import Context, Decimal
from fractions import Fraction

import numpy as np
import torch

folder, seed = sys.argv[1], int(sys.argv[2])
rng = np.random.default_rng(seed)
torch.manual_seed(seed)
context = Context(prec=60, Emax=999999, Emin=-999999)
BINS = 64


def decimal(fraction):
    return context.divide(Decimal(fraction.numerator), Decimal(fraction.denominator))


def root(fraction):
    return float(context.sqrt(decimal(fraction)))


BITS = 1074


def integers(values):
    """Floats as whole multiples of 2^-1074, of which each of them is one."""
    ratios = (value.as_integer_ratio() for value in values)
    return [numerator << (BITS - denominator.bit_length() + 1) for numerator, denominator in ratios]


def number(value):
    return value if math.isfinite(value) else None


def real_values(tensor):
    """float64 values, complex ones by modulus, quantized ones by their integers."""
    if tensor.is_quantized:
        tensor = tensor.int_repr()
    if tensor.is_complex():
        tensor = tensor.to(torch.complex128)
        parts = torch.view_as_real(tensor).numpy().reshape(-1, 2)
        return np.where(np.isnan(parts).any(axis=1), np.nan, np.hypot(parts[:, 0], parts[:, 1]))
    return tensor_to_float64(tensor)


def tensor_to_float64(tensor):
    if tensor.dtype in UNSIGNED:
        return tensor.contiguous().view(UNSIGNED[tensor.dtype]).numpy().view(UNSIGNED_NUMPY[tensor.dtype]).astype(np.float64).reshape(-1)
    return tensor.to(torch.float64).numpy().reshape(-1)


UNSIGNED, UNSIGNED_NUMPY = {}, {}
for name, signed in (('uint16', torch.int16), ('uint32', torch.int32), ('uint64', torch.int64)):
    if hasattr(torch, name):
        UNSIGNED[getattr(torch, name)] = signed
        UNSIGNED_NUMPY[getattr(torch, name)] = np.dtype(name)


def statistics(tensor):
    with np.errstate(invalid='ignore'):
        values = real_values(tensor)
    finite = values[np.isfinite(values)]
    answer = {
        'elements': values.size,
        'zeros': int((values == 0).sum()),
        'nan': int(np.isnan(values).sum()),
        'positiveInfinity': int((values == np.inf).sum()),
        'negativeInfinity': int((values == -np.inf).sum()),
    }
    n = finite.size
    if n == 0:
        return {**answer, 'min': None, 'max': None, 'mean': None, 'std': None, 'norm': None, 'counts': None}
    exact = integers(finite.tolist())
    total, squares = sum(exact), sum(value * value for value in exact)
    counts = None
    low, high = float(finite.min()), float(finite.max())
    if not tensor.is_complex() and low < high and math.isfinite(high - low) and high - low > 1e-290:
        counts = np.histogram(finite, bins=BINS, range=(low, high))[0].tolist()
    return {
        **answer,
        'min': low,
        'max': high,
        'mean': float(Fraction(total, n << BITS)),
        'std': None if n < 2 else root(Fraction(squares * n - total * total, n * (n - 1) << 2 * BITS)),
        'norm': number(root(Fraction(squares, 1 << 2 * BITS))),
        'counts': counts,
    }


def parts(tensor):
    if tensor.is_quantized:
        tensor = tensor.int_repr()
    if tensor.is_complex():
        return torch.view_as_real(tensor.to(torch.complex128)).numpy().reshape(-1, 2)
    return tensor_to_float64(tensor).reshape(-1, 1)


def distance(a, b):
    with np.errstate(all='ignore'):
        left, right = parts(a), parts(b)
    finite = np.isfinite(left).all(axis=1) & np.isfinite(right).all(axis=1)
    answer = {'notFinite': int((~finite).sum())}
    x = integers(left[finite].reshape(-1).tolist())
    y = integers(right[finite].reshape(-1).tolist())
    if not x:
        return {**answer, 'l2': None, 'relativeL2': None, 'maxAbsDifference': None, 'cosineSimilarity': None, 'cosineDistance': None}
    aa, bb = sum(v * v for v in x), sum(v * v for v in y)
    dd = sum((q - p) ** 2 for p, q in zip(x, y))
    ab = sum(p * q for p, q in zip(x, y))
    size = left.shape[1]
    largest = max(sum((y[i + k] - x[i + k]) ** 2 for k in range(size)) for i in range(0, len(x), size))
    cosine = None
    if aa and bb:
        product = context.multiply(context.sqrt(Decimal(aa)), context.sqrt(Decimal(bb)))
        cosine = context.divide(Decimal(ab), product)
    return {
        **answer,
        'l2': number(root(Fraction(dd, 1 << 2 * BITS))),
        'relativeL2': root(Fraction(dd, aa)) if aa else (0 if not dd else None),
        'maxAbsDifference': number(root(Fraction(largest, 1 << 2 * BITS))),
        'cosineSimilarity': None if cosine is None else float(cosine),
        'cosineDistance': None if cosine is None else float(context.subtract(Decimal(1), cosine)),
    }


def floats(shape, dtype, kind):
    values = torch.from_numpy(np.asarray(rng.standard_normal(shape)))
    if kind == 'special':
        flat = values.reshape(-1)
        for i in range(flat.numel()):
            flat[i] = [0.0, -0.0, math.nan, math.inf, -math.inf, float(flat[i])][int(rng.integers(12)) % 6 if rng.random() < 0.4 else 5]
    elif kind == 'small':
        values = values * float(torch.finfo(dtype).tiny) / 8
    elif kind == 'huge':
        values = values.clamp(-1, 1) * (float(torch.finfo(dtype).max) * 0.9)
    elif kind == 'offset':
        values = values * 1e-3 + 1000
    return values.to(dtype)


SHAPES = [(), (0,), (3, 0, 2), (1,), (7,), (40, 50), (2049,), (5, 6, 7)]
FLOATS = [torch.float32, torch.float64, torch.float16, torch.bfloat16]
FLOAT8 = [getattr(torch, name) for name in ('float8_e4m3fn', 'float8_e5m2', 'float8_e4m3fnuz', 'float8_e5m2fnuz') if hasattr(torch, name)]
INTS = [torch.int8, torch.uint8, torch.int16, torch.int32, torch.int64]

cases = []


def add(name, a, b):
    cases.append((name, a, b))


for dtype in FLOATS:
    for shape in SHAPES:
        add(f'{dtype} {shape}', floats(shape, dtype, 'plain'), floats(shape, dtype, 'plain'))
    for kind in ('special', 'small', 'huge', 'offset'):
        add(f'{dtype} {kind}', floats((30, 40), dtype, kind), floats((30, 40), dtype, kind))
    near = floats((1000,), dtype, 'plain')
    add(f'{dtype} near', near, near + near * 0.01)
    add(f'{dtype} constant', torch.full((50,), 0.1, dtype=dtype), torch.zeros(50, dtype=dtype))
    add(f'{dtype} transposed', floats((30, 20), dtype, 'plain').t(), floats((20, 30), dtype, 'plain'))
    add(f'{dtype} sliced', floats((90, 20), dtype, 'plain')[3::2, 5:15], floats((44, 10), dtype, 'plain'))
    add(f'{dtype} expanded', floats((1, 9), dtype, 'plain').expand(11, 9), floats((11, 9), dtype, 'plain'))
    add(f'float32 to {dtype}', floats((300,), torch.float32, 'plain'), floats((300,), dtype, 'plain'))
for dtype in FLOAT8:
    # Not all special values exist in all of them; the bytes are random, so that every pattern comes.
    bits = [torch.from_numpy(rng.integers(0, 256, 700, dtype=np.uint8)).view(dtype) for _ in range(2)]
    add(f'{dtype}', bits[0], bits[1])
for dtype in INTS:
    info = torch.iinfo(dtype)
    make = lambda: torch.from_numpy(rng.integers(info.min, info.max, (33, 31), dtype=np.dtype(str(dtype)[6:]), endpoint=True))
    add(f'{dtype}', make(), make())
    add(f'{dtype} empty', torch.zeros((0, 4), dtype=dtype), torch.zeros((0, 4), dtype=dtype))
for dtype, bits in UNSIGNED.items():
    make = lambda: torch.from_numpy(rng.integers(-2**15, 2**15, 900).astype(np.int64) * (2**47 if bits == torch.int64 else 1)).to(bits).view(dtype)
    add(f'{dtype}', make(), make())
add('bool', torch.from_numpy(rng.random((20, 30)) < 0.3), torch.from_numpy(rng.random((20, 30)) < 0.5))
for dtype in (torch.complex64, torch.complex128):
    make = lambda: torch.complex(torch.from_numpy(rng.standard_normal((25, 9))), torch.from_numpy(rng.standard_normal((25, 9)))).to(dtype)
    add(f'{dtype}', make(), make())
    odd = make()
    odd[0, 0], odd[1, 1], odd[2, 2] = complex(math.nan, 1), complex(1, math.inf), 0
    add(f'{dtype} special', odd, make())
add('complex128 huge', torch.full((3,), complex(3e300, 4e300), dtype=torch.complex128), torch.full((3,), complex(1e200, 0), dtype=torch.complex128))
for dtype in (torch.qint8, torch.quint8, torch.qint32):
    make = lambda: torch.quantize_per_tensor(torch.randn(12, 13), 0.05, 0 if dtype != torch.quint8 else 100, dtype)
    add(f'{dtype}', make(), make())
# Longer than a block of the reader, so that blocks are joined.
add('float32 long', floats((40001,), torch.float32, 'plain'), floats((40001,), torch.float32, 'plain'))

torch.save({name: [a, b] for name, a, b in cases}, f'{folder}/pairs.pth')
print(json.dumps({
    'torch': torch.__version__,
    'cases': [{'name': name, 'a': statistics(a), 'b': statistics(b), 'distance': distance(a, b)} for name, a, b in cases],
}))
