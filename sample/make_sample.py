"""Makes the sample of `npm start` in this folder, with a real PyTorch: a convolutional digits classifier and its test images.

    python3 -m venv .venv && .venv/bin/pip install torch scikit-learn
    .venv/bin/python make_sample.py

Data: scikit-learn's bundled copy of the UCI set "digits" (8x8 grey images, 10 classes), split once with a fixed seed. Another
processor rounds differently, so that the weights come out slightly different there.
"""
import json, pathlib
import numpy as np, torch, torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

HERE = pathlib.Path(__file__).parent
STAGES = (1, 8)  # epochs; each stage begins with a fresh optimizer
torch.manual_seed(7)

digits = load_digits()
x = (digits.images[:, None] / 16.0).astype(np.float32)
y = digits.target.astype(np.int64)
xtr, xte, ytr, yte = train_test_split(x, y, test_size=0.25, random_state=7, stratify=y)
np.savez(HERE / "digits_test.npz", x=xte, y=yte)

# The architecture as nograd reads it: torch.nn layers with torch.nn's own argument names.
LAYERS = [
    {"type": "Conv2d", "in_channels": 1, "out_channels": 16, "kernel_size": 3, "padding": 1},
    {"type": "BatchNorm2d", "num_features": 16}, {"type": "ReLU"},
    {"type": "Conv2d", "in_channels": 16, "out_channels": 32, "kernel_size": 3, "padding": 1},
    {"type": "BatchNorm2d", "num_features": 32}, {"type": "ReLU"},
    {"type": "MaxPool2d", "kernel_size": 2}, {"type": "Dropout", "p": 0.25}, {"type": "Flatten"},
    {"type": "Linear", "in_features": 512, "out_features": 64}, {"type": "ReLU"},
    {"type": "Dropout", "p": 0.5}, {"type": "Linear", "in_features": 64, "out_features": 10},
]
lines = ["    { " + ", ".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in layer.items()) + " }" for layer in LAYERS]
text = '{\n  "input": [1, 8, 8],\n  "layers": [\n' + ",\n".join(lines) + "\n  ]\n}\n"
(HERE / "digits_cnn.layers.json").write_text(text)
model = nn.Sequential(
    *[getattr(nn, layer["type"])(**{k: v for k, v in layer.items() if k != "type"}) for layer in LAYERS])

loss = nn.CrossEntropyLoss()
inputs, labels = torch.from_numpy(xtr), torch.from_numpy(ytr)
for epochs in STAGES:
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(epochs):
        for rows in torch.randperm(len(inputs)).split(64):
            optimizer.zero_grad()
            loss(model(inputs[rows]), labels[rows]).backward()
            optimizer.step()
torch.save(model.state_dict(), HERE / "digits_cnn.pth")

model.eval()
with torch.no_grad():
    right = (model(torch.from_numpy(xte)).argmax(1).numpy() == yte).mean()
print(f"accuracy on the {len(yte)} test images: {right:.4f}")
