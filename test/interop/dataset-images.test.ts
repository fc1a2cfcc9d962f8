import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fileSource } from '../../src/container/index.ts'
import { openDataset, type ImageOptions } from '../../src/dataset/index.ts'
import { columnBytes } from '../dataset/make-files.ts'
import { pythonFinds, pythonHas, runPython } from './python.ts'

/** An archive that Python made, and the eight-bit pixels that torchvision makes of it. */
interface Written {
  readonly file: string
  readonly options: ImageOptions
  readonly lossless: boolean
  readonly shape: readonly number[]
  readonly labels: readonly string[]
  readonly pixels: string
}

const WRITE = `
import io, json, pathlib, sys, tarfile, zipfile, gzip, struct
import numpy as np
from PIL import Image
sys.path.insert(0, sys.argv[2])
from torchvision_models import load_models
load_models()
from torchvision import transforms as T
from torchvision.datasets import ImageFolder
from torchvision.transforms import InterpolationMode as Mode
folder = pathlib.Path(sys.argv[1])
rng = np.random.default_rng(3)
written = []

def picture(width, height):
    y, x = np.mgrid[0:height, 0:width]
    waves = [np.sin(x / rng.uniform(3, 30) + rng.uniform(0, 6)) + np.cos(y / rng.uniform(3, 30)) for _ in range(3)]
    noise = rng.normal(0, 12, (height, width, 3))
    return Image.fromarray(np.clip(np.stack(waves, -1) * 55 + 128 + noise, 0, 255).astype(np.uint8))

CASES = [
    ({"resize": 64, "centerCrop": [56, 56]}, [T.Resize(64), T.CenterCrop(56)]),
    ({"resize": [40, 70], "interpolation": "BICUBIC"}, [T.Resize((40, 70), interpolation=Mode.BICUBIC)]),
    ({"resize": 300, "centerCrop": [310, 290]}, [T.Resize(300), T.CenterCrop((310, 290))]),
    ({"grayscale": True, "resize": [28, 28]}, [T.Grayscale(), T.Resize((28, 28))]),
    ({"resize": [33, 51], "interpolation": "NEAREST"}, [T.Resize((33, 51), interpolation=Mode.NEAREST)]),
    ({"centerCrop": [151, 230]}, [T.CenterCrop((151, 230))]),
]
for i, (options, steps) in enumerate(CASES * 2):
    lossless = i < len(CASES)
    root = folder / f"{i}"
    for k in range(6):
        place = root / ["cat", "ant", "Bee"][k % 3]
        place.mkdir(parents=True, exist_ok=True)
        image = picture(int(rng.integers(90, 200)), int(rng.integers(90, 200)))
        if lossless and k == 4:
            image = image.convert("L")
        if lossless and k == 5:
            image.putalpha(Image.fromarray(rng.integers(0, 255, (image.height, image.width)).astype(np.uint8)))
        image.save(place / (f"{k}.png" if lossless else f"{k}.jpg"), **({} if lossless else {"quality": 90, "subsampling": k % 3}))
    data = ImageFolder(root, transform=T.Compose(steps + [T.PILToTensor()]))
    archive = folder / (f"{i}.zip" if i % 2 else f"{i}.tar.gz")
    files = sorted(root.rglob("*.*"), key=lambda _: rng.random())
    if i % 2:
        with zipfile.ZipFile(archive, "w") as out:
            for file in files: out.write(file, file.relative_to(folder))
    else:
        with tarfile.open(archive, "w:gz") as out:
            for file in files: out.add(file, file.relative_to(folder))
    pixels = np.stack([image.numpy() for image, _ in data])
    pixels.tofile(folder / f"{i}.bin")
    written.append({"file": str(archive), "options": options, "lossless": lossless, "shape": list(pixels.shape),
        "labels": [data.classes[label] for _, label in data.samples], "pixels": str(folder / f"{i}.bin")})

images, labels = rng.integers(0, 255, (50, 28, 28)).astype(np.uint8), rng.integers(0, 10, 50).astype(np.uint8)
with zipfile.ZipFile(folder / "mnist.zip", "w") as out:
    out.writestr("t10k-labels-idx1-ubyte.gz", gzip.compress(struct.pack(">BBBBI", 0, 0, 8, 1, 50) + labels.tobytes()))
    out.writestr("t10k-images-idx3-ubyte", struct.pack(">BBBBIII", 0, 0, 8, 3, 50, 28, 28) + images.tobytes())
images.tofile(folder / "mnist-images.bin")
labels.tofile(folder / "mnist-labels.bin")
print(json.dumps(written))
`

const describeWithTorchvision = pythonFinds('torchvision') && pythonHas('torch', 'PIL') ? describe : describe.skip

describeWithTorchvision('torchvision', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nograd-images-'))
  let written: Written[]
  beforeAll(() => {
    written = JSON.parse(
      runPython(WRITE, null, [folder, fileURLToPath(new URL('../../scripts', import.meta.url))]),
    ) as Written[]
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  test('has the same pixels after Resize, CenterCrop and Grayscale', async () => {
    for (const { file: path, options, lossless, shape, labels, pixels } of written) {
      await using source = await fileSource(path)
      await using file = await openDataset(source, { images: options })
      const [image, label, id] = file.columns
      expect([path, file.rows, ...image!.shape]).toEqual([path, ...shape])
      expect(label!.names).toEqual([...new Set(labels)].sort())
      expect(id).toMatchObject({ role: 'ID' })
      const codes = new BigInt64Array(new Uint8Array((await columnBytes(file, 1)).bytes).buffer)
      expect(Array.from(codes, (code) => label!.names![Number(code)])).toEqual(labels)
      const [found, expected] = [(await columnBytes(file, 0)).bytes, readFileSync(pixels)]
      let [largest, sum] = [0, 0]
      expected.forEach((value, i) => {
        largest = Math.max(largest, Math.abs(value - found[i]!))
        sum += Math.abs(value - found[i]!)
      })
      // PNG to the bit. The decoders of JPEG may round a value otherwise, which bicubic weights make a little more of.
      expect([path, largest <= (lossless ? 0 : 2), sum / expected.length < (lossless ? 1e-9 : 0.05)]).toEqual([
        path,
        true,
        true,
      ])
    }
  })

  test('MNIST’s format is read from an archive of its files', async () => {
    await using source = await fileSource(join(folder, 'mnist.zip'))
    await using file = await openDataset(source)
    expect(file.columns).toEqual([
      { name: 'images', role: 'FEATURE', dtype: 'uint8', shape: [28, 28] },
      { name: 'labels', role: 'LABEL', dtype: 'uint8', shape: [] },
    ])
    for (const [index, name] of ['mnist-images.bin', 'mnist-labels.bin'].entries())
      expect(
        Buffer.compare(Buffer.from((await columnBytes(file, index)).bytes), readFileSync(join(folder, name))),
      ).toBe(0)
  })
})
