"""Exports common architectures in small sizes in both ways that torch.onnx.export has, and says what PyTorch makes of them.

argv: a folder for the ONNX files and answers.json; then `all` for every opset, or names of models
answers.json: [{"model", "way", "file", "error", "state", "inputs": {name: tensor}, "output"}]; tensors as in architecture_layers.py.

The image models are torchvision's own classes, with fewer and narrower layers. Without torchvision they are left out.
"""
import functools, importlib.util, json, logging, math, pathlib, sys, warnings
import torch, torch.nn as nn, torch.nn.functional as F
from architecture_layers import packed

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "scripts"))
from torchvision_models import load_models

logging.disable(logging.WARNING)
warnings.filterwarnings("ignore")


models = None if importlib.util.find_spec("torchvision") is None else load_models()


def resnet():
    return models.ResNet(models.resnet.BasicBlock, [1, 1, 1, 1], num_classes=7)


def resnet_bottleneck():
    return models.ResNet(models.resnet.Bottleneck, [1, 1, 1, 1], num_classes=7, groups=2, width_per_group=16)


def mobilenet_v2():
    return models.MobileNetV2(num_classes=7, width_mult=0.25)


def mobilenet_v3():
    configuration = functools.partial(models.mobilenetv3.InvertedResidualConfig, width_mult=0.5)
    settings = [configuration(16, 3, 16, 16, True, "RE", 2, 1), configuration(16, 5, 72, 24, True, "HS", 2, 1),
                configuration(24, 5, 88, 24, False, "HS", 1, 2)]
    return models.MobileNetV3(settings, last_channel=64, num_classes=7)


def efficientnet(version):
    convolution = models.efficientnet.MBConvConfig
    fused = models.efficientnet.FusedMBConvConfig
    settings = {
        1: [convolution(1, 3, 1, 16, 8, 1), convolution(4, 3, 2, 8, 16, 1), convolution(4, 5, 2, 16, 24, 2)],
        2: [fused(1, 3, 1, 16, 16, 1), fused(2, 3, 2, 16, 24, 1), convolution(4, 3, 2, 24, 32, 1)],
    }[version]
    return models.EfficientNet(settings, dropout=0.2, num_classes=7, last_channel=64)


def convnext():
    block = models.convnext.CNBlockConfig
    return models.ConvNeXt([block(16, 32, 1), block(32, 48, 1), block(48, None, 1)], num_classes=7, layer_scale=0.5)


def vit():
    return models.VisionTransformer(image_size=32, patch_size=8, num_layers=2, num_heads=2, hidden_dim=32, mlp_dim=64, num_classes=7)


def swin(version):
    more = {} if version == 1 else {"block": models.swin_transformer.SwinTransformerBlockV2,
                                    "downsample_layer": models.swin_transformer.PatchMergingV2}
    return models.SwinTransformer(patch_size=[4, 4], embed_dim=16, depths=[2, 2], num_heads=[2, 4], window_size=[4, 4],
                                  num_classes=7, **more)


def densenet():
    return models.DenseNet(growth_rate=8, block_config=(2, 2, 2), num_init_features=16, num_classes=7)


def vgg():
    features = models.vgg.make_layers([8, "M", 16, "M", 24, 24, "M"], batch_norm=True)
    model = models.VGG(features, num_classes=7)
    model.classifier = nn.Sequential(nn.Linear(24 * 49, 32), nn.ReLU(True), nn.Dropout(), nn.Linear(32, 7))
    return model


class Bert(nn.Module):
    """The layout, names and order of operations of Hugging Face's BertForSequenceClassification."""
    class Layer(nn.Module):
        def __init__(self, width, heads):
            super().__init__()
            self.heads = heads
            self.query, self.key, self.value = nn.Linear(width, width), nn.Linear(width, width), nn.Linear(width, width)
            self.dense = nn.Linear(width, width)
            self.norm1 = nn.LayerNorm(width, eps=1e-12)
            self.intermediate, self.output = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
            self.norm2 = nn.LayerNorm(width, eps=1e-12)
            self.dropout = nn.Dropout(0.1)

        def split(self, x):
            return x.view(x.size(0), x.size(1), self.heads, -1).permute(0, 2, 1, 3)

        def forward(self, x, mask):
            q, k, v = self.split(self.query(x)), self.split(self.key(x)), self.split(self.value(x))
            scores = q @ k.transpose(-1, -2) / math.sqrt(q.size(-1)) + mask
            context = (self.dropout(scores.softmax(-1)) @ v).permute(0, 2, 1, 3).contiguous()
            x = self.norm1(self.dropout(self.dense(context.view(context.size(0), context.size(1), -1))) + x)
            return self.norm2(self.dropout(self.output(F.gelu(self.intermediate(x)))) + x)

    def __init__(self, words=60, width=32, length=12):
        super().__init__()
        self.word_embeddings = nn.Embedding(words, width, padding_idx=0)
        self.position_embeddings = nn.Embedding(length, width)
        self.token_type_embeddings = nn.Embedding(2, width)
        self.register_buffer("position_ids", torch.arange(length).expand((1, -1)), persistent=False)
        self.norm = nn.LayerNorm(width, eps=1e-12)
        self.layers = nn.ModuleList(Bert.Layer(width, 4) for _ in range(2))
        self.pooler = nn.Linear(width, width)
        self.classifier = nn.Linear(width, 3)

    def forward(self, ids, attention_mask):
        x = self.word_embeddings(ids) + self.token_type_embeddings(torch.zeros_like(ids))
        x = self.norm(x + self.position_embeddings(self.position_ids[:, :ids.size(1)]))
        mask = (1.0 - attention_mask[:, None, None, :].to(x.dtype)) * torch.finfo(x.dtype).min
        for layer in self.layers:
            x = layer(x, mask)
        return self.classifier(torch.tanh(self.pooler(x[:, 0])))


class Recurrent(nn.Module):
    def __init__(self, kind, **more):
        super().__init__()
        self.body = getattr(nn, kind)(6, 5, batch_first=True, **more)
        self.fc = nn.Linear(5 * (2 if more.get("bidirectional") else 1), 4)

    def forward(self, x):
        return self.fc(self.body(x)[0][:, -1])


class LastState(nn.Module):
    """Classifies the last hidden state of a recurrent network whose time comes first."""
    def __init__(self):
        super().__init__()
        self.body = nn.LSTM(6, 5, num_layers=2, dropout=0.3)
        self.fc = nn.Linear(10, 4)

    def forward(self, x):
        _, (hidden, cell) = self.body(x.transpose(0, 1))
        return self.fc(torch.cat([hidden[-1], cell[-1]], 1))


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.MultiheadAttention(12, 3, batch_first=True)
        self.fc = nn.Linear(12, 4)

    def forward(self, x):
        return self.fc(self.body(x, x, x, need_weights=False)[0].mean(1))


class Encoder(nn.Module):
    def __init__(self, **more):
        super().__init__()
        layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True, **more)
        self.body = nn.TransformerEncoder(layer, 2, norm=nn.LayerNorm(16), enable_nested_tensor=False)
        self.fc = nn.Linear(16, 4)

    def forward(self, x):
        return self.fc(self.body(x).mean(1))


class Decoder(nn.Module):
    """What segmentation and generation use: transposed convolutions, resizing, instance normalisation, pixel shuffle."""
    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(3, 16, 3, 2, 1)
        self.norm = nn.InstanceNorm2d(16, affine=True)
        self.up = nn.ConvTranspose2d(16, 8, 3, 2, 1, 1)
        self.shuffle = nn.PixelShuffle(2)
        self.smooth = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
        self.fc = nn.Linear(2, 4)

    def forward(self, x):
        x = self.shuffle(F.relu(self.up(self.norm(self.down(x)))))
        x = F.interpolate(self.smooth(x), size=(20, 24), mode="bicubic", align_corners=False)
        return self.fc(F.interpolate(x, scale_factor=0.5, mode="nearest").mean((2, 3)))


def images(size=32):
    return lambda batch: {"x": torch.randn(batch, 3, size, size)}


def steps(batch):
    return {"x": torch.randn(batch, 7, 6)}


def vectors(width):
    return lambda batch: {"x": torch.randn(batch, 5, width)}


def sentences(batch):
    mask = (torch.arange(9) < torch.randint(3, 10, (batch, 1))).long()
    return {"ids": torch.randint(1, 60, (batch, 9)) * mask, "attention_mask": mask}


IMAGE_MODELS = {
    "ResNet": (resnet, images()), "ResNet bottleneck": (resnet_bottleneck, images()),
    "MobileNetV2": (mobilenet_v2, images()), "MobileNetV3": (mobilenet_v3, images()),
    "EfficientNet": (lambda: efficientnet(1), images()), "EfficientNetV2": (lambda: efficientnet(2), images()),
    "ConvNeXt": (convnext, images()), "ViT": (vit, images()),
    "Swin": (lambda: swin(1), images()), "SwinV2": (lambda: swin(2), images()),
    "DenseNet": (densenet, images()), "VGG": (vgg, images(56)),
}
MODELS = {
    **(IMAGE_MODELS if models else {}), "BERT": (Bert, sentences),
    "LSTM": (lambda: Recurrent("LSTM"), steps), "LSTM bidirectional": (lambda: Recurrent("LSTM", bidirectional=True, num_layers=2), steps),
    "LSTM last state": (LastState, steps), "LSTM without bias": (lambda: Recurrent("LSTM", bias=False), steps),
    "GRU": (lambda: Recurrent("GRU"), steps), "GRU bidirectional": (lambda: Recurrent("GRU", bidirectional=True), steps),
    "RNN": (lambda: Recurrent("RNN"), steps), "RNN bidirectional relu": (lambda: Recurrent("RNN", bidirectional=True, nonlinearity="relu"), steps),
    "MultiheadAttention": (Attention, vectors(12)), "TransformerEncoder": (Encoder, vectors(16)),
    "TransformerEncoder norm first": (lambda: Encoder(norm_first=True, activation="gelu"), vectors(16)),
    "decoder": (Decoder, images(8)),
}
SCRIPT_OPSETS, DYNAMO_OPSETS = (13, 14, 16, 17, 18, 20), (18, 19, 21, 23)


def export(name, dynamo, opset):
    torch.manual_seed(5)
    make, batch = MODELS[name]
    model = make().eval()
    with torch.no_grad():
        # Fresh models have equal weights in many places, which would hide a mixed-up name.
        for key, tensor in model.state_dict().items():
            if key.endswith("running_var"):
                tensor.uniform_(0.5, 2)
            elif tensor.is_floating_point():
                tensor.add_(torch.randn_like(tensor) * 0.05)
    state = {key: packed(tensor) for key, tensor in model.state_dict().items()}
    way = f"{'dynamo' if dynamo else 'torchscript'}-{opset}"
    file = OUT / f"{name.replace(' ', '_')}.{way}.onnx"
    entry = {"model": name, "way": way, "file": str(file), "error": None, "state": state}
    example = batch(2)
    names = list(example)
    if dynamo:
        free = torch.export.Dim("N")
        options = {"dynamo": True, "optimize": False, "verbose": False, "external_data": False, "input_names": names,
                   "dynamic_shapes": tuple({0: free} for _ in names)}
    else:
        options = {"dynamo": False, "do_constant_folding": False, "keep_initializers_as_inputs": True,
                   "input_names": names, "dynamic_axes": {key: {0: "N"} for key in names}}
    try:
        torch.onnx.export(model, tuple(example.values()), str(file), opset_version=opset, **options)
    except Exception as error:
        return {**entry, "error": f"{type(error).__name__}: {error}"[:300]}
    inputs = batch(4)
    with torch.no_grad():
        output = model(*inputs.values())
    return {**entry, "inputs": {key: packed(value) for key, value in inputs.items()}, "output": packed(output)}


if __name__ == "__main__":
    torch.set_num_threads(1)
    OUT = pathlib.Path(sys.argv[1])
    everything = sys.argv[2:] == ["all"]
    wanted = list(MODELS) if everything or not sys.argv[2:] else sys.argv[2:]
    entries = []
    for turn, name in enumerate(wanted):
        for dynamo, opsets in ((False, SCRIPT_OPSETS), (True, DYNAMO_OPSETS)):
            # An export takes seconds: each model in one opset of each exporter, and so each opset with some models.
            chosen = opsets if everything else [opsets[turn % len(opsets)]]
            entries += [export(name, dynamo, opset) for opset in chosen]
    (OUT / "answers.json").write_text(json.dumps(entries))
