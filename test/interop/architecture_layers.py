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
    if layer["type"] == "Residual":
        return Residual(layer)
    if "output" in layer or layer["type"] in ("LSTM", "GRU", "RNN", "MultiheadAttention"):
        return First({name: value for name, value in layer.items() if name != "output"}, layer.get("output", "sequence"))
    arguments = {name: tuple(value) if isinstance(value, list) else value
                 for name, value in layer.items() if name not in ("type", "name")}
    return getattr(nn, layer["type"])(**arguments)


class Residual(nn.Module):
    """A module whose children are those of the layers, the shortcut and what comes after."""
    def __init__(self, layer):
        super().__init__()
        self.parts = {}
        for part, prefix, layers in (("layers", "", layer["layers"]),
                                     ("shortcut", "shortcut", [layer["shortcut"]] if layer.get("shortcut") else []),
                                     ("after", "after", layer.get("after", []))):
            names = []
            for index, child in enumerate(layers):
                names.append(child.get("name", "shortcut" if part == "shortcut" else f"{prefix}{index}"))
                self.add_module(names[-1], module(child))
            self.parts[part] = names

    def run(self, part, x):
        for name in self.parts[part]:
            x = getattr(self, name)(x)
        return x

    def forward(self, x):
        return self.run("after", self.run("layers", x) + self.run("shortcut", x))


def First(layer, output):
    """A layer that gives several things, of which a list takes one; its keys stay its own."""
    base = getattr(nn, layer["type"])

    class Taken(base):
        def forward(self, x):
            if layer["type"] == "MultiheadAttention":
                return super().forward(x, x, x, need_weights=False)[0]
            sequence, state = super().forward(x)
            if output == "sequence":
                return sequence
            hidden = state[0] if layer["type"] == "LSTM" else state
            directions = 2 if self.bidirectional else 1
            return torch.cat(list(hidden[-directions:]), 1)
    return Taken(**{name: value for name, value in layer.items() if name not in ("type", "name")})


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
