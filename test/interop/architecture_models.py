"""Small modules that between them use what common models use. Each comes with a function that makes a batch for it."""
import torch, torch.nn as nn, torch.nn.functional as F


class Block(nn.Module):
    def __init__(self, ins, outs, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(ins, outs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outs)
        self.conv2 = nn.Conv2d(outs, outs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outs)
        self.downsample = None
        if stride != 1 or ins != outs:
            self.downsample = nn.Sequential(nn.Conv2d(ins, outs, 1, stride, bias=False), nn.BatchNorm2d(outs))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (self.downsample(x) if self.downsample else x))


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.bn = nn.BatchNorm2d(8)
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = nn.Sequential(Block(8, 8), Block(8, 8))
        self.layer2 = Block(8, 16, 2)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(16, 5)

    def forward(self, x):
        x = self.pool(F.relu(self.bn(self.stem(x))))
        return self.fc(torch.flatten(self.avgpool(self.layer2(self.layer1(x))), 1))


class SqueezeExcitation(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.fc1 = nn.Conv2d(channels, 4, 1)
        self.fc2 = nn.Conv2d(4, channels, 1)

    def forward(self, x):
        return x * F.hardsigmoid(self.fc2(F.relu(self.fc1(F.adaptive_avg_pool2d(x, 1)))))


class MobileNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.Hardswish(),
            nn.Conv2d(8, 8, 3, 1, 1, groups=8, bias=False), nn.BatchNorm2d(8), nn.ReLU6(), SqueezeExcitation(8),
            nn.Conv2d(8, 12, 1), nn.SiLU())
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(12, 5))

    def forward(self, x):
        return self.classifier(self.features(x).mean([2, 3]))


class TextTransformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(50, 16)
        self.pos = nn.Parameter(torch.randn(1, 7, 16))
        layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True, activation="gelu")
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(16)
        self.head = nn.Linear(16, 3, bias=False)

    def forward(self, ids):
        return self.head(self.norm(self.encoder(self.embed(ids) + self.pos)).mean(1))


class VisionAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(16, 48, bias=False)
        self.proj = nn.Linear(16, 16)
        self.ln = nn.LayerNorm(16)
        self.cls = nn.Parameter(torch.randn(1, 1, 16))
        self.out = nn.Linear(16, 4)

    def forward(self, x):
        b, t, c = x.shape
        x = torch.cat([self.cls.expand(b, -1, -1), x], 1)
        q, k, v = self.qkv(self.ln(x)).reshape(b, t + 1, 3, 2, 8).permute(2, 0, 3, 1, 4).unbind(0)
        y = ((q @ k.transpose(-2, -1) * 8 ** -0.5).softmax(-1) @ v).transpose(1, 2).reshape(b, t + 1, c)
        return self.out((x + self.proj(y))[:, 0])


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(20, 8)
        self.mid = nn.Linear(8, 8)
        self.head = nn.Linear(8, 20, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, ids):
        return self.head(torch.tanh(self.mid(self.embed(ids))).mean(1))


class Norms(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(3, 8, (3, 2), padding="same", dilation=(2, 1))
        self.gn = nn.GroupNorm(4, 8)
        self.inn = nn.InstanceNorm2d(8, affine=True)
        self.pr = nn.PReLU(8)
        self.tc = nn.ConvTranspose2d(8, 4, 2, 2)
        self.f = nn.Linear(4, 3)

    def forward(self, x):
        x = self.pr(self.inn(F.leaky_relu(self.gn(self.c1(x)), 0.1)))
        x = F.interpolate(F.pad(x, (1, 1, 2, 0)), scale_factor=2, mode="nearest")
        x = F.interpolate(x, scale_factor=2, mode="bilinear")
        a, b = torch.chunk(x, 2, 3)
        y = F.elu(self.tc(torch.maximum(a, b)))
        y = F.softplus(y.clamp(-3, 3)) + torch.where(y > 0, y.abs().sqrt(), torch.exp(y))
        return F.log_softmax(self.f(F.avg_pool2d(y, 3, 2, 1).amax((2, 3))), 1)


class Mlp(nn.Module):
    """One output, squeezed, as binary classifiers have it."""
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(10, 8, bias=False)
        self.b = nn.Linear(8, 8, bias=False)
        self.bn = nn.BatchNorm1d(8)
        self.c = nn.Linear(8, 1)

    def forward(self, x):
        return self.c(F.gelu(self.bn(self.b(F.gelu(self.a(x)))), approximate="tanh")).squeeze(1)


class Buffers(nn.Module):
    """Buffers that a state_dict has, one that it has not, a constant, a layer that is not used, weights that are none."""
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(2, 4, 3, stride=2)
        self.bn = nn.BatchNorm1d(4, affine=False)
        self.ln = nn.LayerNorm(7, elementwise_affine=False)
        self.fc = nn.Linear(4 * 7, 3)
        self.scale = nn.Parameter(torch.tensor(1.5))
        self.register_buffer("mean", torch.zeros(1, 2, 1))
        self.register_buffer("order", torch.tensor([2, 0, 1]))
        self.unused = nn.Linear(3, 3)

    def forward(self, x):
        x = self.ln(self.bn(self.conv(x - self.mean))) * torch.tensor([1.0, 2, 3, 4, 5, 6, 7])
        return self.fc(x.view(x.size(0), -1)).index_select(1, self.order) * self.scale.exp()


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(6, 5, batch_first=True, bidirectional=True)
        self.gru = nn.GRU(10, 4, batch_first=True)
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        return self.fc(self.gru(self.lstm(x)[0])[0][:, -1])


def floats(*shape):
    return lambda batch: torch.randn(batch, *shape)


def words(most, *shape):
    return lambda batch: torch.randint(0, most, (batch, *shape))


MODELS = {
    "resnet": (ResNet, floats(3, 16, 16)), "mobilenet": (MobileNet, floats(3, 16, 16)),
    "transformer": (TextTransformer, words(50, 7)), "attention": (VisionAttention, floats(6, 16)),
    "tied": (Tied, words(20, 5)), "norms": (Norms, floats(3, 8, 8)), "mlp": (Mlp, floats(10)),
    "buffers": (Buffers, floats(2, 16)), "recurrent": (Recurrent, floats(4, 6)),
}
