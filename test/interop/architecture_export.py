"""Exports the models of architecture_models.py in every way that is meant to be read, and in those that are meant to be refused.

argv: a folder for the ONNX files and answers.json (the exporters print on stdout)
answers.json: [{"model", "way", "file", "error", "state", "input", "output"}]; tensors as in architecture_layers.py.
"""
import copy, json, logging, pathlib, sys, warnings
import torch
from architecture_layers import packed
from architecture_models import MODELS

logging.disable(logging.WARNING)
warnings.filterwarnings("ignore")
OUT = pathlib.Path(sys.argv[1])
SCRIPT = {"dynamo": False, "do_constant_folding": False, "keep_initializers_as_inputs": True, "input_names": ["x"],
          "dynamic_axes": {"x": {0: "N"}}}
DYNAMO = {"dynamo": True, "optimize": False, "dynamic_shapes": ({0: torch.export.Dim("N")},), "verbose": False}
WAYS = {
    **{f"torchscript-{opset}": {**SCRIPT, "opset_version": opset} for opset in (13, 17, 18, 20)},
    "torchscript-deduplicated": {**SCRIPT, "keep_initializers_as_inputs": False},
    "torchscript-training": {**SCRIPT, "training": torch.onnx.TrainingMode.TRAINING},
    **{f"dynamo-{opset}": {**DYNAMO, "opset_version": opset} for opset in (18, 20, 23)},
    "dynamo-inline": {**DYNAMO, "external_data": False}, "dynamo-training": DYNAMO,
    "torchscript-defaults": {"dynamo": False}, "dynamo-defaults": {"dynamo": True, "verbose": False},
}

# The rest of the ways are tried with some models only: exporting takes a second or more.
EVERYWHERE = {"torchscript-13", "torchscript-20", "torchscript-deduplicated", "dynamo-18", "dynamo-23"}
SOME = {"mlp", "resnet", "attention", "norms"}


def export(name, way):
    torch.manual_seed(5)
    make, batch = MODELS[name]
    model = make().train(way.endswith("training"))
    if not way.endswith(("deduplicated", "defaults")):
        # Fresh models have equal weights in many places, which would hide a mixed-up name.
        with torch.no_grad():
            for key, tensor in model.state_dict().items():
                if key.endswith("running_var"):
                    tensor.uniform_(0.5, 2)
                elif tensor.is_floating_point():
                    tensor.add_(torch.randn_like(tensor) * 0.1)
    before = copy.deepcopy(model.state_dict())
    state = {key: packed(tensor) for key, tensor in before.items()}
    file = OUT / f"{name}.{way}.onnx"
    entry = {"model": name, "way": way, "file": str(file), "error": None, "state": state}
    try:
        torch.onnx.export(model, (batch(2),), str(file), **WAYS[way])
    except Exception as error:
        return {**entry, "error": f"{type(error).__name__}: {error}"[:300]}
    x = batch(5)
    # Exporting in training mode moves running statistics: the weights are those from before.
    model.load_state_dict(before)
    with torch.no_grad():
        return {**entry, "input": packed(x), "output": packed(model.eval()(x))}


torch.set_num_threads(1)
entries = [export(name, way) for name in MODELS for way in WAYS if way in EVERYWHERE or name in SOME]
(OUT / "answers.json").write_text(json.dumps(entries))
