import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { join } from 'node:path'
import { threadedEngine, type ThreadedEngine } from '../../src/engine/index.ts'
import { defaultBatchSize } from '../../src/evaluation/index.ts'
import type { Task } from '../../src/metric/index.ts'
import { compiled } from '../compiled.ts'
import { temporaryFolder } from '../engine/parameter-file.ts'
import { evaluateCase, fixtureCase } from '../evaluation/fixture-case.ts'
import { pythonHas, runPython } from './python.ts'

/** Models, checkpoints and datasets that a real PyTorch makes, scored by scikit-learn. Metrics as `name/average`. */
const PROGRAM = `
import json, sys, numpy as np, torch, torch.nn as nn
from sklearn import metrics as skm
folder = sys.argv[1]
torch.manual_seed(11)
np.random.seed(11)

def layer(kind, **arguments):
    return {"type": kind, **arguments}

CASES = {
    "binary-one-logit": ("BINARY", [9], [layer("Linear", in_features=9, out_features=16), layer("BatchNorm1d", num_features=16),
        layer("SiLU"), layer("Dropout", p=0.5), layer("Linear", in_features=16, out_features=1)], np.float64),
    "binary-two-logits": ("BINARY", [2, 12], [layer("Conv1d", in_channels=2, out_channels=5, kernel_size=3, stride=2),
        layer("GroupNorm", num_groups=5, num_channels=5), layer("GELU"), layer("Flatten"),
        layer("Linear", in_features=25, out_features=2)], np.float32),
    "multiclass": ("MULTICLASS", [3, 10, 10], [layer("Conv2d", in_channels=3, out_channels=8, kernel_size=3, padding=1),
        layer("BatchNorm2d", num_features=8), layer("Hardswish"), layer("AvgPool2d", kernel_size=2), layer("Flatten"),
        layer("Linear", in_features=200, out_features=7)], np.uint8),
    "multilabel": ("MULTILABEL", [20], [layer("Linear", in_features=20, out_features=8), layer("Tanh"),
        layer("LayerNorm", normalized_shape=[8]), layer("Linear", in_features=8, out_features=4)], np.float32),
    "regression": ("REGRESSION", [6], [layer("Linear", in_features=6, out_features=32), layer("ELU"),
        layer("Linear", in_features=32, out_features=2)], np.float16),
}

def report(task, logits, y):
    if task == "REGRESSION":
        return {"mse/": skm.mean_squared_error(y, logits), "mae/": skm.mean_absolute_error(y, logits), "r2/": skm.r2_score(y, logits)}
    if task == "MULTICLASS" or logits.shape[1] == 2:
        q = torch.softmax(torch.from_numpy(logits).double(), 1).numpy()
        p = q.argmax(1)
    elif task == "BINARY":
        q = torch.sigmoid(torch.from_numpy(logits[:, 0]).double()).numpy()
        p = (q >= 0.5).astype(int)
    else:
        q = torch.sigmoid(torch.from_numpy(logits).double()).numpy()
        p = (q >= 0.5).astype(int)
    out = {"accuracy/": skm.accuracy_score(y, p)}
    if task != "MULTILABEL":
        out["logLoss/"] = skm.log_loss(y, q)
    for average in ("micro", "macro", "weighted") + (("samples",) if task == "MULTILABEL" else ()):
        for name, f in (("precision", skm.precision_score), ("recall", skm.recall_score), ("f1", skm.f1_score)):
            out[name + "/" + average] = f(y, p, average=average, zero_division=np.nan)
    return out

answers = {}
for name, (task, shape, layers, dtype) in CASES.items():
    model = nn.Sequential(*[getattr(nn, l["type"])(**{k: v for k, v in l.items() if k != "type"}) for l in layers])
    for module in model:
        if hasattr(module, "running_var") and module.running_var is not None:
            module.running_mean.normal_(0, 0.5)
            module.running_var.uniform_(0.5, 2)
    n = 333
    x = np.random.randint(0, 256, [n] + shape).astype(dtype) if dtype == np.uint8 else np.random.randn(n, *shape).astype(dtype)
    model.eval()
    with torch.no_grad():
        logits = model(torch.from_numpy(x).float()).numpy()
    noisy = logits + np.random.randn(*logits.shape) * logits.std()
    if task == "REGRESSION":
        y = noisy
    elif task == "MULTILABEL":
        y = (noisy > 0).astype(np.uint8)
    elif logits.shape[1] == 1:
        y = (noisy[:, 0] > 0).astype(bool)
    else:
        y = noisy.argmax(1).astype(np.int32)
    torch.save(model.state_dict(), f"{folder}/{name}.pth")
    json.dump({"layers": layers, "input": shape}, open(f"{folder}/{name}.layers.json", "w"))
    np.savez(f"{folder}/{name}.npz", x=x, y=y)
    answers[name] = {"task": task, "metrics": {k: None if v != v else float(v) for k, v in report(task, logits, y).items()}}
json.dump(answers, sys.stdout)
`

const NAMES = ['binary-one-logit', 'binary-two-logits', 'multiclass', 'multilabel', 'regression']
const withPython = pythonHas('torch', 'sklearn') ? describe : describe.skip

withPython('an evaluation of what PyTorch made', () => {
  let engine: ThreadedEngine
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  let answers: Record<string, { readonly task: Task; readonly metrics: Record<string, number | null> }>
  beforeAll(async () => {
    engine = await threadedEngine(compiled('engine/onnxruntime/index.js'))
    folder = await temporaryFolder()
    answers = JSON.parse(runPython(PROGRAM, null, [folder.path])) as typeof answers
  })
  afterAll(async () => {
    await engine[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  test.each(NAMES)('has scikit-learn’s metrics: %s', async (name) => {
    const { task, metrics } = answers[name]!
    const file = (extension: string) => join(folder.path, `${name}.${extension}`)
    const files = { architecture: file('layers.json'), checkpoint: file('pth'), dataset: file('npz'), task }
    const fixture = await fixtureCase(files, folder.path)
    for (const batchSize of [1, 50, defaultBatchSize(fixture.graph)]) {
      const report = await evaluateCase(engine, fixture, { batchSize }, [100, 101])
      expect(report.samples).toBe(333)
      for (const [key, expected] of Object.entries(metrics)) {
        const [metric, average] = key.split('/')
        const found = report.metrics.find(
          (each) => each.name === metric && each.average === (average === '' ? null : average) && each.class === null,
        )
        expect(found).toBeDefined()
        if (expected === null) expect(found!.value).toBeNull()
        else expect(Math.abs(found!.value! - expected)).toBeLessThan(1e-6 * Math.max(1, Math.abs(expected)))
      }
    }
  })
})
