"""The models of bench/engines, and PyTorch's own speed with them.

prepare FOLDER     exports every model: NAME.onnx, NAME.weights (float32, one after the other), NAME.weights16 (the same in float16),
                   NAME.json (where each key lies in the former, shapes), NAME.x and NAME.y (a batch and PyTorch's logits for it)
serve              answers lines {"model", "device", "seconds"} with the samples per second of each variant, or {"error"}
"""
import json, os, pathlib, sys, time, warnings
import torch, torch.nn as nn

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "scripts"))
from torchvision_models import load_models

warnings.filterwarnings("ignore")


vision = load_models()


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        layer = nn.TransformerEncoderLayer(256, 8, 1024, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 4, enable_nested_tensor=False)

    def forward(self, x):
        return self.encoder(x)


def mlp():
    return nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 10))


MODELS = {
    "ResNet-18": (vision.resnet18, [16, 3, 224, 224]),
    "MobileNetV2": (vision.mobilenet_v2, [16, 3, 224, 224]),
    "ViT-tiny": (lambda: vision.VisionTransformer(224, 16, 12, 3, 192, 768), [16, 3, 224, 224]),
    "MLP batch 256": (mlp, [256, 784]),
    "MLP batch 4096": (mlp, [4096, 784]),
    "encoder d256 L4": (Encoder, [32, 128, 256]),
}


def build(name):
    make, shape = MODELS[name]
    torch.manual_seed(sum(map(ord, name)))
    model = make().eval()
    with torch.no_grad():
        # Statistics and weights as after a training: neither 0 nor 1.
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.uniform_(-0.1, 0.1), module.running_var.uniform_(0.8, 1.2)
                module.weight.uniform_(0.9, 1.1), module.bias.uniform_(-0.1, 0.1)
            if isinstance(module, nn.LayerNorm):
                module.weight.uniform_(0.9, 1.1), module.bias.uniform_(-0.1, 0.1)
        # torchvision begins a ViT with a head of zeros.
        if isinstance(model, vision.VisionTransformer):
            nn.init.normal_(model.heads.head.weight, std=0.05)
    return model, torch.randn(shape)


def prepare(folder):
    for name in MODELS:
        model, x = build(name)
        path = os.path.join(folder, name)
        with torch.no_grad():
            # The fused kernel of encoder layers has no ONNX.
            torch.backends.mha.set_fastpath_enabled(False)
            y = model(x)
            torch.onnx.export(
                model, x, path + ".onnx", dynamo=False, do_constant_folding=False, keep_initializers_as_inputs=True,
                input_names=["x"], output_names=["y"], dynamic_axes={"x": {0: "N"}, "y": {0: "N"}}, opset_version=17)
        keys, offset = {}, 0
        with open(path + ".weights", "wb") as file, open(path + ".weights16", "wb") as halves:
            for key, value in model.state_dict().items():
                if value.dtype != torch.float32:
                    continue
                data = value.contiguous().numpy().tobytes()
                keys[key] = {"shape": list(value.shape), "offset": offset, "length": len(data)}
                offset += file.write(data)
                halves.write(value.half().contiguous().numpy().tobytes())
        x.numpy().tofile(path + ".x"), y.numpy().tofile(path + ".y")
        with open(path + ".json", "w") as file:
            json.dump({"keys": keys, "x": list(x.shape), "y": list(y.shape)}, file)


def variants(name, device):
    image = len(MODELS[name][1]) == 4
    plain = ["float32"] + (["channels_last"] if image else [])
    return plain + (["tf32", "float16"] if device == "cuda" else [])


def rate(name, device, variant, seconds):
    torch.backends.mha.set_fastpath_enabled(True)
    tf32 = variant == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
    model, x = build(name)
    model, x = model.to(device), x.to(device)
    if variant == "float16":
        model, x = model.half(), x.half()
    if variant == "channels_last" or (device == "cuda" and variant in ("tf32", "float16") and x.dim() == 4):
        model, x = model.to(memory_format=torch.channels_last), x.contiguous(memory_format=torch.channels_last)
    # From the host and back, as an evaluation has to: samples come from memory of the host, logits go there.
    host = x.cpu()
    step = lambda: model(host.to(device)).float().cpu()
    with torch.no_grad():
        for _ in range(3):
            step()
        count, begun = 0, time.perf_counter()
        while time.perf_counter() - begun < seconds:
            step()
            count += 1
        return count * x.shape[0] / (time.perf_counter() - begun)


def serve():
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            if asked["device"] == "cuda" and not torch.cuda.is_available():
                raise RuntimeError("this PyTorch sees no CUDA")
            answer = {v: rate(asked["model"], asked["device"], v, asked["seconds"]) for v in variants(asked["model"], asked["device"])}
        except Exception as error:
            answer = {"error": str(error)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "prepare":
        prepare(sys.argv[2])
        card = torch.cuda.get_device_name(0) if torch.cuda.is_available() else None
        print(json.dumps({"torch": torch.__version__, "card": card, "models": list(MODELS)}))
    else:
        serve()
