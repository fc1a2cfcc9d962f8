"""Describes a Python value as JSON, the way test/checkpoint/describe-tree.ts describes a value tree.

Two descriptions are equal when the values are: types, exact floats, the bytes of every tensor, shape, stride, offset,
which tensors share a storage, and which containers are one and the same object.
"""
import base64
import collections
import hashlib
import json
import math
import struct

import numpy as np
import torch


def dense_bytes(tensor):
    dense = tensor.detach().clone(memory_format=torch.contiguous_format)
    return torch.empty(0, dtype=torch.uint8).set_(dense.untyped_storage()).numpy().tobytes()


class Describer:
    def __init__(self):
        self.objects = {}
        self.storages = {}
        self.alive = []  # ids are only unique among objects that live

    def __call__(self, value):
        if value is None:
            return ["none"]
        if isinstance(value, bool):
            return ["bool", value]
        if type(value) is int:
            return ["int", str(value)]
        if type(value) is float:
            return ["float", self.float(value)]
        if isinstance(value, complex):
            return ["complex", self.float(value.real), self.float(value.imag)]
        if type(value) is str:
            return ["string", value]
        if isinstance(value, (bytes, bytearray)):
            return [type(value).__name__, base64.b64encode(value).decode()]
        if isinstance(value, torch.Size):
            return ["size", list(value)]
        if isinstance(value, torch.dtype):
            return ["dtype", str(value).removeprefix("torch.")]
        if isinstance(value, torch.device):
            return ["device", value.type, value.index]
        if isinstance(value, torch.layout):
            return ["layout", str(value)]
        if isinstance(value, np.generic):
            return ["numpy", np.asarray(value).dtype.str, base64.b64encode(value.tobytes()).decode()]
        if isinstance(value, np.ndarray):
            return ["ndarray", value.dtype.str, list(value.shape), base64.b64encode(value.tobytes()).decode()]
        if isinstance(value, tuple):
            return ["tuple", [self(item) for item in value]]
        known = self.objects.get(id(value))
        if known is not None:
            return ["same", known]
        number = self.objects[id(value)] = len(self.objects)
        self.alive.append(value)
        return self.container(value, number)

    def container(self, value, number):
        if isinstance(value, torch.Tensor):
            return self.tensor(value, number)
        if isinstance(value, list):
            return ["list", number, [self(item) for item in value]]
        if isinstance(value, set):
            return ["set", number, sorted((self(item) for item in value), key=self.json_text)]
        entries = [[self(key), self(item)] for key, item in value.items()]
        if isinstance(value, collections.Counter):
            return ["counter", number, entries]
        if isinstance(value, collections.OrderedDict):
            return ["ordered_dict", number, entries, self(value.__dict__) if value.__dict__ else None]
        assert type(value) is dict, type(value)
        return ["dict", number, entries]

    def tensor(self, value, number):
        if value.layout == torch.sparse_coo:
            parts = [self(value._indices()), self(value._values()), self(value.size()), self(value.is_coalesced())]
            return ["sparse", number, *parts]
        storage = value.untyped_storage()
        self.alive.append(storage)
        return [
            "tensor",
            number,
            {
                "dtype": str(value.dtype).removeprefix("torch."),
                "shape": list(value.shape),
                "stride": list(value.stride()),
                "offset": value.storage_offset(),
                "storage": self.storages.setdefault(storage._cdata, len(self.storages)),
                "storageBytes": storage.nbytes(),
                "requiresGrad": value.requires_grad,
                "isParameter": isinstance(value, torch.nn.Parameter),
                "sha256": hashlib.sha256(dense_bytes(value)).hexdigest(),
            },
            self(dict(value.__dict__)) if value.__dict__ else None,
        ]

    @staticmethod
    def json_text(description):
        return json.dumps(description, separators=(",", ":"), ensure_ascii=False)

    @staticmethod
    def float(value):
        return "nan" if math.isnan(value) else struct.pack(">d", value).hex()
