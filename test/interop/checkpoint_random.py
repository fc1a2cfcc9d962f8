"""Writes random checkpoints with a real PyTorch (1.13 and newer): checkpoint_random.py FOLDER COUNT SEED

Prints JSON: for each file its name and the description of what was saved (describe_value.py), or for safetensors of
what safetensors.torch.load_file reads; for a sharded one its shards and each tensor by its key; and the names on PyTorch's own
closed list, where it has one. Without safetensors none are written.
"""
import argparse
import collections
import datetime
import decimal
import fractions
import json
import pathlib
import random
import sys
import types

import numpy as np
import torch

try:
    import safetensors.torch
except ImportError:
    safetensors = None
try:
    from torch.utils.serialization import config
except ImportError:
    config = None

from describe_value import Describer

NAMES = [
    "float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "uint16", "uint32", "uint64", "bool",
    "complex32", "complex64", "complex128", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz",
    "float8_e8m0fnu", "float4_e2m1fn_x2",
]  # fmt: skip
# PyTorch 1.13 has complex32, and no storage class to save it by.
DTYPES = [getattr(torch, n) for n in NAMES if hasattr(torch, n) and (config is not None or n != "complex32")]
UNSAFE = [getattr(torch, n, None) for n in ("complex32", "complex128")]
SAFETENSORS_DTYPES = [d for d in DTYPES if d not in UNSAFE]
PROTOCOLS = [2, 2, 2, 3, 4, 5]


def item_size(dtype):
    return dtype.itemsize if hasattr(dtype, "itemsize") else torch.empty(0, dtype=dtype).element_size()


class Maker:
    def __init__(self, rng):
        self.rng = rng
        self.tensors = []
        self.containers = []

    def bytes(self, length):
        return bytes(self.rng.randrange(256) for _ in range(length))

    def base(self, dtype=None, elements=None):
        """A tensor of its own storage, of random bits."""
        dtype = dtype or self.rng.choice(DTYPES)
        elements = self.rng.randrange(1, 200) if elements is None else elements
        if dtype is torch.bool:
            return torch.tensor([self.rng.random() < 0.5 for _ in range(elements)], dtype=torch.bool)
        raw = torch.tensor(list(self.bytes(elements * item_size(dtype))), dtype=torch.uint8)
        return raw.clone().view(dtype) if elements else torch.empty(0, dtype=dtype)

    def shaped(self, dtype=None):
        shape = [self.rng.randrange(0 if self.rng.random() < 0.1 else 1, 6) for _ in range(self.rng.randrange(0, 4))]
        elements = int(np.prod(shape)) if shape else 1
        return self.base(dtype, elements).reshape(shape)

    def view(self, tensor):
        """Any view of a tensor, as a program may come to hold it."""
        for _ in range(self.rng.randrange(0, 3)):
            if tensor.dim() == 0:
                tensor = tensor.expand(self.rng.randrange(1, 5)) if self.rng.random() < 0.5 else tensor
                continue
            axis = self.rng.randrange(tensor.dim())
            size = tensor.shape[axis]
            kind = self.rng.choice(["transpose", "slice", "step", "select", "expand", "windows", "unsqueeze"])
            if kind == "transpose":
                tensor = tensor.transpose(axis, self.rng.randrange(tensor.dim()))
            elif kind == "slice" and size > 1:
                tensor = tensor.narrow(axis, self.rng.randrange(size), 1)
            elif kind == "step" and size > 1:
                tensor = tensor[(slice(None),) * axis + (slice(self.rng.randrange(size + 1), None, 2),)]
            elif kind == "select" and size > 0:
                tensor = tensor.select(axis, self.rng.randrange(size))
            elif kind == "expand":
                tensor = tensor.unsqueeze(0).expand(self.rng.randrange(1, 4), *tensor.shape)
            elif kind == "windows" and size > 2:
                tensor = tensor.unfold(axis, 2, 1)
            elif kind == "unsqueeze":
                tensor = tensor.unsqueeze(axis)
        return tensor

    def tensor(self):
        if self.tensors and self.rng.random() < 0.3:
            tensor = self.rng.choice(self.tensors)  # the same object, or another view of its storage
            if isinstance(tensor, torch.nn.Parameter) or self.is_opaque(tensor) or self.rng.random() < 0.3:
                return tensor
            tensor = self.view(tensor)
        else:
            tensor = self.view(self.shaped())
        if (tensor.is_floating_point() or tensor.is_complex()) and item_size(tensor.dtype) > 1:
            kind = self.rng.random()
            if kind < 0.15:
                tensor = torch.nn.Parameter(tensor, requires_grad=self.rng.random() < 0.5)
                if self.rng.random() < 0.3 and config is not None:  # PyTorch 1.13 leaves attributes out
                    tensor.tag = self.leaf()
            elif kind < 0.2:
                tensor = tensor.detach().requires_grad_()
            elif kind < 0.3 and tensor.dtype in (torch.float32, torch.float64):
                tensor = self.opaque(tensor.dtype)
            elif kind < 0.35 and config is not None:
                tensor = tensor.detach()
                tensor.note = self.leaf()
        self.tensors.append(tensor)
        return tensor

    @staticmethod
    def is_opaque(tensor):
        return tensor.layout != torch.strided or tensor.is_nested or tensor.is_meta or tensor.is_quantized

    def opaque(self, dtype):
        """A tensor that has no plain storage of its elements."""
        dense = (torch.rand(4, 6, dtype=dtype) > 0.5).to(dtype)
        made = [
            lambda: dense.to_sparse().coalesce(),
            dense.to_sparse_csr,
            lambda: torch.quantize_per_tensor(dense.float(), 0.25, 3, self.rng.choice([torch.qint8, torch.quint8, torch.qint32])),
            lambda: torch.quantize_per_channel(
                dense.float(), torch.rand(4) + 0.1, torch.arange(4), 0, self.rng.choice([torch.qint8, torch.quint8])
            ),
            lambda: torch.empty(2, 3, dtype=dtype, device="meta"),
        ]
        if config is not None:  # PyTorch 1.13 cannot save them
            made += [
                dense.to_sparse_csc,
                lambda: dense.to_sparse_bsr((2, 3)),
                lambda: dense.to_sparse_bsc((2, 2)),
                lambda: torch.nested.nested_tensor([dense, dense[:2]]),
            ]
        return self.rng.choice(made)()

    def plain(self):
        """A plain object of Python."""
        r = self.rng
        return r.choice([
            lambda: argparse.Namespace(**{self.name(): self.leaf() for _ in range(r.randrange(3))}),
            lambda: types.SimpleNamespace(lr=self.leaf(), name=self.text()),
            lambda: collections.defaultdict(r.choice([list, dict, int, None]), {self.text(): self.leaf() for _ in range(3)}),
            lambda: collections.deque([self.leaf() for _ in range(r.randrange(4))], maxlen=r.choice([None, 9])),
            lambda: r.choice([pathlib.PurePosixPath, pathlib.PureWindowsPath, pathlib.PosixPath])("runs/" + self.name()),
            lambda: slice(r.randrange(9), None, r.choice([None, 2])),
            lambda: range(r.randrange(9), 20, 3),
            lambda: frozenset([self.text(), r.randrange(9)]),
            lambda: datetime.datetime(2024, 1 + r.randrange(12), 3, 4, 5, 6, r.randrange(10**6)),
            lambda: datetime.datetime(2024, 1, 2, tzinfo=datetime.timezone(datetime.timedelta(hours=r.randrange(9)))),
            lambda: datetime.date(1970 + r.randrange(99), 1, 2),
            lambda: datetime.timedelta(r.randrange(99), r.randrange(99), r.randrange(99)),
            lambda: decimal.Decimal(r.randrange(10**9)) / 1000,
            lambda: fractions.Fraction(r.randrange(1, 99), 7),
            lambda: r.choice([int, float, str, bool, list, dict, tuple]),
            lambda: r.choice([torch.per_tensor_affine, torch.per_channel_affine]),
        ])()  # fmt: skip

    def name(self):
        return "".join(self.rng.choice("abcdef") for _ in range(5))

    def text(self):
        return "".join(self.rng.choice("abcXYZ_.0123 äöß€\U0001f98a\n\"\\") for _ in range(self.rng.randrange(0, 12)))

    def leaf(self):
        r = self.rng
        return r.choice([
            lambda: None,
            lambda: r.random() < 0.5,
            lambda: r.randrange(-300, 300),
            lambda: r.randrange(-(2**40), 2**40),
            lambda: r.choice([-1, 1]) * r.getrandbits(r.randrange(50, 900)),
            lambda: r.choice([0.0, -0.0, 1.0, 1e308, 5e-324, float("nan"), float("inf"), -float("inf"), r.random()]),
            lambda: complex(r.random(), -0.0),
            self.text,
            lambda: self.bytes(r.randrange(1, 40)),
            lambda: bytearray(self.bytes(r.randrange(0, 40))),
            lambda: torch.Size([r.randrange(9) for _ in range(r.randrange(4))]),
            lambda: r.choice(DTYPES),
            lambda: torch.device(r.choice(["cpu", "cuda", "cuda:1", "meta", "mps"])),
            lambda: torch.sparse_coo,
            lambda: np.float64(r.random()),
            lambda: np.int32(r.randrange(1000)),
            lambda: np.bool_(r.random() < 0.5),
            lambda: np.arange(r.randrange(1, 8), dtype=r.choice(["<f4", "<i8", "|u1", "<f8"])),
        ])()  # fmt: skip

    def key(self):
        return self.rng.choice([self.text, lambda: self.rng.randrange(100), lambda: (1, self.text()), lambda: None])()

    def value(self, depth):
        if depth == 0 or self.rng.random() < 0.3:
            return self.tensor() if self.rng.random() < 0.55 else self.leaf() if self.rng.random() < 0.7 else self.plain()
        if self.containers and self.rng.random() < 0.1:
            return self.rng.choice(self.containers)
        made = self.container(depth)
        if not isinstance(made, tuple):
            self.containers.append(made)
        return made

    def container(self, depth):
        r = self.rng
        count = r.randrange(0, 5)
        kind = r.choice(["list", "tuple", "dict", "ordered_dict", "set", "counter"])
        if kind == "list":
            return [self.value(depth - 1) for _ in range(count)]
        if kind == "tuple":
            return tuple(self.value(depth - 1) for _ in range(count))
        if kind == "set":
            return {r.choice([self.text(), r.randrange(9), None, (1, 2)]) for _ in range(count)}
        if kind == "counter":
            return collections.Counter(self.text() for _ in range(count))
        entries = [(self.key(), self.value(depth - 1)) for _ in range(r.choice([count, count, 30]))]
        if kind == "dict":
            return dict(entries)
        made = collections.OrderedDict(entries)
        if r.random() < 0.5:
            made._metadata = collections.OrderedDict({"": {"version": 2}})
        return made


def training_checkpoint(rng):
    """What training scripts save: model, optimizer, scheduler, random state."""
    model = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(16, 2)
    ).to(memory_format=rng.choice([torch.contiguous_format, torch.channels_last]))
    make = rng.choice([torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW, torch.optim.RMSprop])
    optimizer = make(model.parameters(), lr=0.01, **({"momentum": 0.9} if make is torch.optim.SGD else {}))
    # In PyTorch 1.13 its state names builtins.getattr, which is refused (by weights_only too).
    schedulers = torch.optim.lr_scheduler
    scheduler = schedulers.StepLR(optimizer, 3)
    if config is not None:
        scheduler = schedulers.OneCycleLR(optimizer, 0.1, total_steps=10)
    for _ in range(2):
        optimizer.zero_grad()
        model(torch.randn(5, 3, 4, 4)).sum().backward()
        optimizer.step()
        scheduler.step()
    return {
        "epoch": 2,
        "model_state_dict": model.state_dict(),
        "optimizer_state_dict": optimizer.state_dict(),
        "scheduler": scheduler.state_dict(),
        "best": np.float32(0.5),
        "rng": torch.get_rng_state(),
        "numpy_rng": np.random.get_state(),
    }


def save(value, path, rng, options):
    if config is not None:
        config.save.compute_crc32 = rng.random() < 0.8
        config.save.storage_alignment = rng.choice([64, 64, 4096])
    if rng.random() < 0.5:
        torch.save(value, path, **options)
    else:
        with path.open("wb") as file:
            torch.save(value, file, **options)


def save_safetensors(maker, path, metadata):
    """Saves tensors and gives each by its name as load_file reads it."""
    names = {maker.text() for _ in range(9)} - {"__metadata__"}
    tensors = {name: maker.shaped(maker.rng.choice(SAFETENSORS_DTYPES)) for name in names}
    # float4 is saved, and load_file gives it back, as pairs along the last axis, which a scalar does not have.
    tensors = {name: t for name, t in tensors.items() if t.dim() > 0 or "float4" not in str(t.dtype)}
    safetensors.torch.save_file(tensors, path, metadata=metadata)
    return described(safetensors.torch.load_file(path))


def described(tensors):
    return {name: Describer()(tensor)[2] for name, tensor in tensors.items()}


def sharded(maker, folder, number):
    """A Hugging Face checkpoint: an index, and shards of torch.save or safetensors. Keys have the number of their shard."""
    safe = safetensors is not None and maker.rng.random() < 0.5
    weight_map, tensors, shards = {}, {}, []
    for i in range(maker.rng.randrange(1, 5)):
        name = f"{number}-{i}.{'safetensors' if safe else 'bin'}"
        shard = {f"{i}.{j}": maker.shaped(maker.rng.choice(SAFETENSORS_DTYPES)) for j in range(maker.rng.randrange(1, 6))}
        shard = {key: t for key, t in shard.items() if "float4" not in str(t.dtype)}
        if safe:
            safetensors.torch.save_file(shard, folder / name, metadata={"format": "pt"})
        else:
            shard.update({key + ".tied": t for key, t in shard.items() if maker.rng.random() < 0.3})
            save(shard, folder / name, maker.rng, {"_use_new_zipfile_serialization": maker.rng.random() < 0.7})
        if shard:
            shards.append(name)
        weight_map.update({key: name for key in shard})
        tensors.update(described(shard))
    index = folder / f"{number}.index.json"
    index.write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": weight_map}))
    return {"file": index.name, "shards": shards, "tensors": tensors, "format": f"{'safetensors' if safe else 'torch'}-sharded"}


def main(folder, count, seed):
    torch.manual_seed(seed)
    np.random.seed(seed)
    files = []
    for i in range(count):
        rng = random.Random(f"{seed} {i}")
        maker = Maker(rng)
        path = folder / f"{i}.pth"
        kind = i % 10
        if kind == 7 and safetensors is not None:
            path = path.with_suffix(".safetensors")
            expected = save_safetensors(maker, path, {"format": "pt"} if i % 20 == 7 else None)
            files.append({"file": path.name, "tensors": expected, "format": "safetensors"})
            continue
        if kind == 8:
            made = sharded(maker, folder, i)
            if made["shards"]:
                files.append(made)
                continue
        value = training_checkpoint(rng) if kind == 3 else maker.container(4)
        legacy = kind in (1, 5, 6)
        options = {"pickle_protocol": rng.choice(PROTOCOLS), "_use_new_zipfile_serialization": not legacy}
        save(value, path, rng, options)
        made = {"file": path.name, "value": Describer()(value), "format": "torch-legacy" if legacy else "torch-zip"}
        files.append({**made, "protocol": options["pickle_protocol"]})
    unpickler = getattr(torch, "_weights_only_unpickler", None)
    allowed = sorted(unpickler._get_allowed_globals()) if config is not None and unpickler is not None else None
    json.dump({"torch": torch.__version__, "files": files, "allowed": allowed}, sys.stdout)


main(pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
