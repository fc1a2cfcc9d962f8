"""Saves tensors that are views of much larger ones; prints what each holds, by PyTorch itself."""
import hashlib
import json
import sys

import torch

torch.manual_seed(5)
big = torch.randn(1024, 1024)
half = torch.randn(512, 2048).to(torch.bfloat16)
numbers = torch.arange(3_000_000, dtype=torch.int64)
tensors = {
    # Two rows of 4 MiB.
    "rows": big[512:514],
    "rows.first": big[512],
    # Transposed, strided and far away in the same storage: holes between them.
    "block": big[10:20, 100:110].t(),
    "column": big[700:720, 3],
    "every.seventh": big.view(-1)[900_000:901_000:7],
    "last": big[-1, -1],
    "bf16": half[3:5, ::2],
    "int64": numbers[2_999_000:],
    "int64.head": numbers[:10],
    "whole": torch.randn(300, 5),
    "expanded": big[5, :1].expand(4, 3),
    "none": big[5:5],
}
torch.save(tensors, sys.argv[1])


def facts(tensor):
    dense = tensor.contiguous()
    raw = bytes(dense.view(torch.uint8).flatten().tolist()) if dense.numel() and dense.dim() else bytes(dense.reshape(-1).view(torch.uint8).tolist())
    return {"sha256": hashlib.sha256(raw).hexdigest(), "shape": list(tensor.shape), "stride": list(tensor.stride()), "dtype": str(tensor.dtype)}


print(json.dumps({key: facts(tensor) for key, tensor in tensors.items()}))
