"""Describes a Python value as JSON, the way test/checkpoint/describe-tree.ts describes a value tree.

Two descriptions are equal when the values are: types, exact floats, the bytes of every tensor, shape, stride, offset,
which tensors share a storage, and which containers are one and the same object. Works with PyTorch 1.13 and newer.
"""
import base64
import collections
import hashlib
import json
import math
import struct

import numpy as np
import torch


def untyped(tensor):
    return tensor.untyped_storage() if hasattr(tensor, "untyped_storage") else tensor.storage().untyped()


def dense_bytes(tensor):
    dense = tensor.detach().clone(memory_format=torch.contiguous_format)
    return torch.empty(0, dtype=torch.uint8).set_(untyped(dense)).numpy().tobytes()


def global_name(value):
    return f"{value.__module__}.{value.__qualname__}"


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
        if type(value) is complex:
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
        if isinstance(value, torch.qscheme):
            return ["global", str(value)]
        if isinstance(value, type):
            return ["global", global_name(value)]
        if isinstance(value, np.generic):
            return ["numpy", np.asarray(value).dtype.str, base64.b64encode(value.tobytes()).decode()]
        if isinstance(value, np.ndarray):
            return ["ndarray", value.dtype.str, list(value.shape), base64.b64encode(value.tobytes()).decode()]
        if type(value) is tuple:
            return ["tuple", [self(item) for item in value]]
        known = self.objects.get(id(value))
        if known is not None:
            return ["same", known]
        return self.container(value, self.number(value))

    def number(self, value):
        self.alive.append(value)
        return self.objects.setdefault(id(value), len(self.objects))

    def container(self, value, number):
        if isinstance(value, torch.Tensor):
            return self.tensor(value, number)
        if type(value) is list:
            return ["list", number, [self(item) for item in value]]
        if type(value) is set:
            return ["set", number, sorted((self(item) for item in value), key=self.json_text)]
        if type(value) in (dict, collections.OrderedDict, collections.Counter):
            entries = [[self(key), self(item)] for key, item in value.items()]
            if type(value) is collections.Counter:
                return ["counter", number, entries]
            if type(value) is collections.OrderedDict:
                return ["ordered_dict", number, entries, self(value.__dict__) if value.__dict__ else None]
            return ["dict", number, entries]
        return self.reduced(number, *value.__reduce_ex__(2))

    def reduced(self, number, function, args, state=None, items=None, entries=None):
        """Any other object as pickle takes it apart."""
        if function.__name__ == "__newobj__":
            function, *args = args
        return [
            "object",
            number,
            global_name(function),
            [self(arg) for arg in args],
            [self(item) for item in items or ()],
            [[self(key), self(item)] for key, item in entries or ()],
            None if state is None else self(state),
        ]

    def tensor(self, value, number):
        if value.is_quantized:
            return self.quantized(value, number)
        if value.layout != torch.strided or value.is_meta or value.is_nested:
            return self.reduced(number, *value._reduce_ex_internal(2))
        return ["tensor", number, self.view(value), self(dict(value.__dict__)) if value.__dict__ else None]

    def quantized(self, value, number):
        integers = ["tensor", self.number(object()), self.view(value), None]
        if value.qscheme() in (torch.per_tensor_affine, torch.per_tensor_symmetric):
            quantizer = (torch.per_tensor_affine, value.q_scale(), value.q_zero_point())
        else:
            scales, zero_points = value.q_per_channel_scales(), value.q_per_channel_zero_points()
            quantizer = (torch.per_channel_affine, scales, zero_points, value.q_per_channel_axis())
        return ["object", number, "torch._utils._rebuild_qtensor", [integers, self(quantizer)], [], [], None]

    def view(self, value):
        storage = untyped(value)
        self.alive.append(storage)
        return {
            "dtype": str(value.dtype).removeprefix("torch."),
            "shape": list(value.shape),
            "stride": list(value.stride()),
            "offset": value.storage_offset(),
            "storage": self.storages.setdefault(storage.data_ptr() or storage._cdata, len(self.storages)),
            "storageBytes": storage.nbytes(),
            "requiresGrad": value.requires_grad,
            "isParameter": isinstance(value, torch.nn.Parameter),
            "sha256": hashlib.sha256(dense_bytes(value.int_repr() if value.is_quantized else value)).hexdigest(),
        }

    @staticmethod
    def json_text(description):
        return json.dumps(description, separators=(",", ":"), ensure_ascii=False)

    @staticmethod
    def float(value):
        return "nan" if math.isnan(value) else struct.pack(">d", value).hex()
