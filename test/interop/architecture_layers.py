"""Builds the layer lists it is given with torch.nn and says what PyTorch makes of them.

stdin: [{"layers": [...], "input": [...], "inputDtype": "float32"}]
stdout: for each, {"parameters", "state": {key: {dtype, shape, data}}, "input", "output", "rounding"}; data is base64,
little-endian; rounding is how far the output is from that in double precision, relative to the larger of 1 and it.
"""
import base64, collections, json, sys
import torch, torch.nn as nn

BATCH = 3


def module(layer):
    if layer["type"] == "Sequential":
        return sequential(layer["layers"])
    arguments = {name: tuple(value) if isinstance(value, list) else value
                 for name, value in layer.items() if name not in ("type", "name")}
    return getattr(nn, layer["type"])(**arguments)


def sequential(layers):
    return nn.Sequential(collections.OrderedDict(
        (layer.get("name", str(index)), module(layer)) for index, layer in enumerate(layers)))


def packed(tensor):
    return {"dtype": str(tensor.dtype).removeprefix("torch."), "shape": list(tensor.shape),
            "data": base64.b64encode(tensor.contiguous().numpy().tobytes()).decode()}


def answer(case):
    model = sequential(case["layers"]).eval()
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            # Fresh models have ones and zeros, which would hide a mistake in the order of weights.
            if name.endswith("running_var"):
                tensor.uniform_(0.5, 2)
            elif tensor.is_floating_point():
                tensor.add_(torch.randn_like(tensor) * 0.2)
        state = {name: packed(tensor) for name, tensor in model.state_dict().items()}
        shape = [BATCH, *case["input"]]
        x = torch.randn(shape) if case.get("inputDtype", "float32") == "float32" else torch.randint(0, 5, shape)
        y = model(x)
        exact = model.double()(x.double() if x.is_floating_point() else x)
        rounding = float(((y - exact).abs() / exact.abs().clamp(min=1)).max())
    return {"parameters": sum(p.numel() for p in model.parameters()), "state": state,
            "input": packed(x), "output": packed(y), "rounding": rounding}


if __name__ == "__main__":
    torch.manual_seed(11)
    json.dump([answer(case) for case in json.load(sys.stdin)], sys.stdout)
