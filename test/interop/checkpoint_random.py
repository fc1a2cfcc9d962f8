"""Writes random checkpoints with a real PyTorch: checkpoint_random.py FOLDER COUNT SEED

Prints JSON: for each file its name and the description of what was saved (describe_value.py), or for safetensors of
what safetensors.torch.load_file reads; and the names on PyTorch's own closed list.
"""
import collections
import json
import pathlib
import random
import sys

import numpy as np
import safetensors.torch
import torch
import torch.utils.serialization

from describe_value import Describer

DTYPES = [
    torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8,
    torch.uint8, torch.uint16, torch.uint32, torch.uint64, torch.bool, torch.complex32, torch.complex64, torch.complex128,
    torch.float8_e4m3fn, torch.float8_e5m2, torch.float8_e4m3fnuz, torch.float8_e5m2fnuz, torch.float8_e8m0fnu,
]  # fmt: skip
SAFETENSORS_DTYPES = [d for d in DTYPES if d not in (torch.complex32, torch.complex128)]


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
        raw = torch.tensor(list(self.bytes(elements * dtype.itemsize)), dtype=torch.uint8)
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
            if isinstance(tensor, torch.nn.Parameter) or tensor.layout != torch.strided or self.rng.random() < 0.3:
                return tensor
            tensor = self.view(tensor)
        else:
            tensor = self.view(self.shaped())
        if (tensor.is_floating_point() or tensor.is_complex()) and tensor.dtype.itemsize > 1:
            kind = self.rng.random()
            if kind < 0.15:
                tensor = torch.nn.Parameter(tensor, requires_grad=self.rng.random() < 0.5)
                if self.rng.random() < 0.3:
                    tensor.tag = self.leaf()
            elif kind < 0.2:
                tensor = tensor.detach().requires_grad_()
            elif kind < 0.25 and tensor.dtype in (torch.float32, torch.float64):
                tensor = (torch.rand(3, 4, dtype=tensor.dtype) > 0.5).to(tensor.dtype).to_sparse().coalesce()
            elif kind < 0.3:
                tensor = tensor.detach()
                tensor.note = self.leaf()
        self.tensors.append(tensor)
        return tensor

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
            return self.tensor() if self.rng.random() < 0.6 else self.leaf()
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
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=10)
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


def main(folder, count, seed):
    torch.manual_seed(seed)
    np.random.seed(seed)
    files = []
    for i in range(count):
        rng = random.Random(f"{seed} {i}")
        path = folder / f"{i}.pth"
        if i % 8 == 7:
            path = path.with_suffix(".safetensors")
            maker = Maker(rng)
            names = {maker.text() for _ in range(9)} - {"__metadata__"}
            tensors = {name: maker.shaped(rng.choice(SAFETENSORS_DTYPES)) for name in names}
            safetensors.torch.save_file(tensors, path, metadata={"format": "pt"} if i % 16 == 7 else None)
            expected = {name: Describer()(tensor)[2] for name, tensor in safetensors.torch.load_file(path).items()}
            files.append({"file": path.name, "tensors": expected})
            continue
        maker = Maker(rng)
        value = training_checkpoint(rng) if i % 8 == 3 else maker.container(4)
        protocol = rng.choice([2, 2, 2, 3, 4, 5])
        torch.utils.serialization.config.save.compute_crc32 = rng.random() < 0.8
        if rng.random() < 0.5:
            torch.save(value, path, pickle_protocol=protocol)
        else:
            with path.open("wb") as file:
                torch.save(value, file, pickle_protocol=protocol)
        files.append({"file": path.name, "protocol": protocol, "value": Describer()(value)})
    allowed = torch._weights_only_unpickler._get_allowed_globals()
    json.dump({"torch": torch.__version__, "files": files, "allowed": sorted(allowed)}, sys.stdout)


main(pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
