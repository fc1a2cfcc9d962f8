"""Opens written files with a real PyTorch and safetensors, and says whether they are what PyTorch itself makes of the original.

Reads JSON on stdin: {"casts": [{"original", "written", "dtype"}], "safetensors": [{"original", "written"}],
"mapped": [{"original", "written", "tags"}], "resume": [{"original", "written"}]}; prints a list of problems.
"""
import json
import sys

import safetensors
import safetensors.torch
import torch

problems = []


def check(condition, what):
    if not condition:
        problems.append(what)


def load(path):
    return torch.load(path, map_location="cpu", weights_only=True)


def bits(tensor):
    return tensor.detach().contiguous().reshape(-1).view(torch.uint8)


def same(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.stride() == b.stride() and torch.equal(bits(a), bits(b))


def casts(original, written, dtype):
    to = getattr(torch, dtype)
    a, b = load(original), load(written)
    check(list(a) == list(b), f"{written}: other keys")
    for key, value in a.items():
        expected = value.to(to) if value.is_floating_point() else value
        check(same(expected, b[key]), f"{written}: {key} is not what Tensor.to({dtype}) makes of {value.dtype}")


def dense(original, written):
    a, b = load(original), safetensors.torch.load_file(written)
    with safetensors.safe_open(written, "pt") as file:
        metadata = file.metadata()
    for key, value in a.items():
        kept = key if key in b else metadata.get(key)
        check(kept in b, f"{written}: {key} is lost")
        check(kept in b and torch.equal(bits(value), bits(b[kept])), f"{written}: {key} has other values")
        if kept != key:
            check(same(value, a[kept]) and value.data_ptr() == a[kept].data_ptr(), f"{written}: {key} is not tied")
    check(set(b) <= set(a), f"{written}: has more than the original")


def tied(written, model_keys):
    """save_model's own convention: load_model finds the dropped names."""
    model = torch.nn.ModuleDict({"a": torch.nn.Linear(3, 3), "b": torch.nn.Linear(3, 3)})
    model["b"].weight = model["a"].weight
    safetensors.torch.load_model(model, written)
    check(model["b"].weight is model["a"].weight, "tied weights came apart")
    check(torch.equal(model["a"].weight, torch.load(model_keys)["a.weight"]), "tied weights have other values")


def mapped(original, written, tags):
    found = []
    torch.load(written, map_location=lambda storage, tag: (found.append(tag), storage)[1])
    check(sorted(set(found)) == tags, f"{written}: tags {sorted(set(found))} instead of {tags}")
    if tags == ["cpu"]:
        value = torch.load(written)  # no argument, on a machine without CUDA
        check(all(same(v, load(original)[k]) for k, v in value.items()), f"{written}: other values")


def resume(original, written):
    """One step of training after each: the same loss, to the bit."""
    def step(path):
        saved = load(path)
        torch.manual_seed(5)
        model = torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
        optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
        model.load_state_dict(saved["model_state_dict"])
        optimizer.load_state_dict(saved["optimizer_state_dict"])
        losses = []
        for _ in range(3):
            x = torch.randn(16, 6)
            optimizer.zero_grad()
            loss = model(x).pow(2).mean()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return losses

    check(step(original) == step(written), f"{written}: training goes on differently")


def prepare(folder):
    """Files with what the others lack: every bit pattern, tied and transposed weights, a model in training."""
    f16 = torch.arange(65536, dtype=torch.int32).to(torch.uint16)
    exponents = torch.cat([torch.randn(20000) * 4, torch.randn(20000) * 40]).double()
    wide = torch.randn(40000, dtype=torch.float64) * torch.exp2(exponents)
    special = torch.tensor([0.0, -0.0, float("inf"), -float("inf"), float("nan"), 1e-45, 1e-40, 6e-8, 2.98e-8, 5.9e-8, 65504, 65519.9, 65520, 3.39e38, 3.4e38])
    nans = torch.tensor([0x7F800001, 0xFF801234 - 2**32, 0x7FFFFFFF, 0xFFC00000 - 2**32, 0x7FC01000], dtype=torch.int32)
    values = {
        "half": f16.view(torch.float16),
        "brain": f16.clone().view(torch.bfloat16),
        "single": torch.cat([wide.float(), special, nans.view(torch.float32)]),
        "every": torch.arange(-2**31, 2**31, 9973, dtype=torch.int64).to(torch.int32).view(torch.float32),
        "double": torch.cat([wide, special.double(), torch.tensor([1e300, 1e-320])]),
        "eight": torch.arange(256, dtype=torch.uint8).view(torch.float8_e4m3fn),
        "eight_fnuz": torch.arange(256, dtype=torch.uint8).view(torch.float8_e4m3fnuz),
        "eight5_fnuz": torch.arange(256, dtype=torch.uint8).view(torch.float8_e5m2fnuz),
        "exponents": torch.arange(256, dtype=torch.uint8).view(torch.float8_e8m0fnu),
        "eight5": torch.arange(256, dtype=torch.uint8).view(torch.float8_e5m2),
        "whole": torch.arange(7),
        "flags": torch.tensor([True, False]),
        "complex": torch.randn(3, dtype=torch.complex64),
        "transposed": torch.randn(5, 7).t(),
    }
    torch.save(values, f"{folder}/casts.pth")
    torch.save({k: v for k, v in values.items()}, f"{folder}/dense.pth")
    weight = torch.randn(3, 3)
    torch.save({"a.weight": weight, "a.bias": torch.randn(3), "b.weight": weight, "b.bias": torch.randn(3)}, f"{folder}/tied.pth")
    model = torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    for _ in range(4):
        optimizer.zero_grad()
        model(torch.randn(16, 6)).pow(2).mean().backward()
        optimizer.step()
    torch.save({"epoch": 4, "model_state_dict": model.state_dict(), "optimizer_state_dict": optimizer.state_dict()}, f"{folder}/training.pth")


request = json.load(sys.stdin)
if "prepare" in request:
    torch.manual_seed(9)
    prepare(request["prepare"])
for name, action in [("casts", casts), ("safetensors", dense), ("mapped", mapped), ("resume", resume), ("tied", tied)]:
    for case in request.get(name, []):
        action(**case)
json.dump(problems, sys.stdout)
