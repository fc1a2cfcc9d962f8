"""Makes table.csv, table.parquet and images.zip in a folder, and reads them with pandas and torchvision. argv: folder rows images; prints JSON."""
import json, pathlib, sys, time, zipfile
import numpy as np, pandas as pd, torch
from PIL import Image

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "scripts"))
from torchvision_models import load_models
load_models()
from torchvision import transforms
from torchvision.datasets import ImageFolder

folder, rows, images = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
rng = np.random.default_rng(5)
frame = pd.DataFrame({f"f{i}": rng.standard_normal(rows).astype(np.float32) for i in range(20)})
frame["label"] = rng.integers(0, 10, rows)
frame.to_csv(folder / "table.csv", index=False)
frame.to_parquet(folder / "table.parquet", row_group_size=100_000)
for i in range(images):
    place = folder / "images" / f"class{i % 10}"
    place.mkdir(parents=True, exist_ok=True)
    small = rng.integers(0, 255, (24, 32, 3)).astype(np.uint8)
    Image.fromarray(small).resize((500, 375), Image.BICUBIC).save(place / f"{i}.jpg", quality=90)
with zipfile.ZipFile(folder / "images.zip", "w") as archive:
    for file in sorted((folder / "images").rglob("*.jpg")):
        archive.write(file, file.relative_to(folder))


def seconds(read):
    begin = time.perf_counter()
    read()
    return time.perf_counter() - begin


def features(table):
    return table.drop(columns="label").to_numpy(np.float32), table["label"].to_numpy()


def pixels():
    steps = transforms.Compose([transforms.Resize(224), transforms.CenterCrop(224), transforms.PILToTensor()])
    return torch.stack([image for image, _ in ImageFolder(folder / "images", transform=steps)])


torch.set_num_threads(1)
print(json.dumps({
    "table.csv": {"peer": "pandas.read_csv", "seconds": seconds(lambda: features(pd.read_csv(folder / "table.csv")))},
    "table.parquet": {"peer": "pandas.read_parquet", "seconds": seconds(lambda: features(pd.read_parquet(folder / "table.parquet")))},
    "images.zip": {"peer": "torchvision ImageFolder", "seconds": seconds(pixels)},
}))
