import { beforeAll, describe, expect, test } from '@jest/globals'
import { denseConfusion, taskAccumulator, type Task, type TaskReport } from '../../src/metric/index.ts'
import { pythonHas, runPython } from './python.ts'

/** One case: what both sides get. Numbers that JSON has no word for do not occur. */
interface Case {
  readonly task: Task
  readonly width: number
  readonly classes: number
  readonly logits: readonly number[]
  readonly targets: readonly number[]
}

/** What scikit-learn says, NaN as null. Keys are name/average/class. */
interface Reference {
  readonly metrics: Record<string, number | null>
  readonly confusion: number[][] | number[][][] | null
}

const REFERENCE = `
import json, math, sys, warnings
import numpy as np
from sklearn import metrics as skm
warnings.simplefilter("ignore")
nan = float("nan")

def softmax(x):
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)

def ratios(out, y, p, labels, average, suffix):
    for name, f in (("precision", skm.precision_score), ("recall", skm.recall_score), ("f1", skm.f1_score)):
        value = f(y, p, labels=labels, average=average, zero_division=nan)
        if average is None:
            for k, v in enumerate(np.atleast_1d(value)):
                out[f"{name}//{k}"] = float(v)
        else:
            out[f"{name}/{suffix}/"] = float(value)
    if average == "samples":
        return
    # Of each class: true negatives, false positives, false negatives, true positives.
    c = skm.multilabel_confusion_matrix(y, p, labels=labels).astype(float)
    tn, fp, fn, tp = c[:, 0, 0], c[:, 0, 1], c[:, 1, 0], c[:, 1, 1]
    for name, up, down in (("specificity", tn, tn + fp), ("jaccard", tp, tp + fp + fn)):
        each = np.divide(up, down, out=np.full(len(up), nan), where=down > 0)
        weights = np.where(np.isnan(each), 0, tp + fn)
        if average is None:
            for k, v in enumerate(each):
                out[f"{name}//{k}"] = float(v)
        elif average == "micro":
            out[f"{name}/micro/"] = float(up.sum() / down.sum()) if down.sum() > 0 else nan
        elif average == "macro" or weights.sum() == 0:
            out[f"{name}/{average}/"] = float(np.nanmean(each))
        else:
            out[f"{name}/weighted/"] = float(np.nansum(each * weights) / weights.sum())

def score(case):
    task, width, classes = case["task"], case["width"], case["classes"]
    x = np.array(case["logits"], np.float32).reshape(-1, width).astype(np.float64)
    n, out, confusion = len(x), {}, None
    if task == "REGRESSION":
        y = np.array(case["targets"], np.float64).reshape(n, width)
        out["mse//"], out["mae//"] = skm.mean_squared_error(y, x), skm.mean_absolute_error(y, x)
        out["rmse//"] = skm.root_mean_squared_error(y, x)
        out["r2//"] = skm.r2_score(y, x, force_finite=False)
        if width > 1:
            for name, f in (("mse", skm.mean_squared_error), ("mae", skm.mean_absolute_error), ("rmse", skm.root_mean_squared_error)):
                for k, v in enumerate(f(y, x, multioutput="raw_values")):
                    out[f"{name}//{k}"] = float(v)
            raw = [nan] * width if n < 2 else skm.r2_score(y, x, multioutput="raw_values", force_finite=False)
            for k, v in enumerate(raw):
                out[f"r2//{k}"] = float(v)
    elif task == "MULTILABEL":
        y = np.array(case["targets"], int).reshape(n, width)
        q = 1 / (1 + np.exp(-x))
        p = (q >= 0.5).astype(int)
        out["accuracy//"] = skm.accuracy_score(y, p)
        out["hammingLoss//"] = skm.hamming_loss(y, p)
        for average in (None, "micro", "macro", "weighted", "samples"):
            # One column would be taken for binary labels; the averages of one label are that label's values.
            if width == 1:
                if average == "samples":
                    a, b, h = y[:, 0], p[:, 0], (y & p)[:, 0]
                    for name, up, down in (("precision", h, b), ("recall", h, a), ("f1", 2 * h, a + b)):
                        v = up[down > 0] / down[down > 0]
                        out[f"{name}/samples/"] = float(v.mean()) if len(v) else nan
                else:
                    ratios(out, y[:, 0], p[:, 0], [1], average, average)
            else:
                ratios(out, y, p, None, average, average)
        out["logLoss//"] = float(np.mean([skm.log_loss(y[:, k], q[:, k], labels=[0, 1]) for k in range(width)]))
        confusion = [skm.confusion_matrix(y[:, k], p[:, k], labels=[0, 1]).tolist() for k in range(width)]
    else:
        y = np.array(case["targets"], int)
        if task == "BINARY":
            q = 1 / (1 + np.exp(-x[:, 0])) if width == 1 else softmax(x)
            p = ((q if width == 1 else q[:, 1]) >= 0.5).astype(int)
            for name, f in (("precision", skm.precision_score), ("recall", skm.recall_score), ("f1", skm.f1_score)):
                out[f"{name}//"] = float(f(y, p, average="binary", zero_division=nan))
            out["specificity//"] = float(skm.recall_score(1 - y, 1 - p, zero_division=nan))
            either = ((y == 1) | (p == 1)).sum()
            out["jaccard//"] = float(skm.jaccard_score(y, p)) if either > 0 else nan
        else:
            q, p = softmax(x), x.argmax(1)
        labels = list(range(classes))
        out["accuracy//"] = skm.accuracy_score(y, p)
        out["balancedAccuracy//"] = skm.balanced_accuracy_score(y, p)
        # scikit-learn says 0 where it is undefined.
        out["mcc//"] = skm.matthews_corrcoef(y, p) if len(set(y)) > 1 and len(set(p)) > 1 else nan
        out["cohenKappa//"] = skm.cohen_kappa_score(y, p, labels=labels)
        for average in (None, "micro", "macro", "weighted"):
            ratios(out, y, p, labels, average, average)
        out["logLoss//"] = skm.log_loss(y, q, labels=labels)
        confusion = skm.confusion_matrix(y, p, labels=labels).tolist()
    metrics = {k: float(v) if math.isfinite(v) else None for k, v in out.items()}
    return {"metrics": metrics, "confusion": confusion}

print(json.dumps([score(case) for case in json.load(sys.stdin)]))
`

/** Mulberry32: the same cases every time. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Cases of every kind: imbalance, absent classes, one class only, one sample, ties, hopeless and perfect logits. */
function cases(): Case[] {
  const next = random(20_260)
  const below = (limit: number) => Math.floor(next() * limit)
  const pick = <T>(...options: readonly T[]) => options[below(options.length)]!
  return Array.from({ length: 400 }, (_, i): Case => {
    const task = (['BINARY', 'MULTICLASS', 'MULTILABEL', 'REGRESSION'] as const)[i % 4]!
    const n = pick(1, 2, 3, 17, 200)
    const classes = task === 'BINARY' ? 2 : task === 'MULTICLASS' ? pick(2, 3, 10, 40) : pick(1, 2, 5, 12)
    const width = task === 'BINARY' ? pick(1, 2) : classes
    const used = pick(1, Math.ceil(classes / 2), classes)
    const scale = pick(0.1, 1, 5, 60)
    const ties = next() < 0.3
    const perSample = task === 'MULTILABEL' || task === 'REGRESSION' ? width : 1
    const rate = pick(0, 0.05, 0.5, 1)
    const offset = pick(0, 1e3, -1e6)
    const target = (): number => {
      if (task === 'REGRESSION') return offset + (ties ? 3 : next() * 10)
      if (task === 'MULTILABEL') return next() < rate ? 1 : 0
      return below(used)
    }
    const logit = (): number => {
      const value = (next() + next() + next() - 1.5) * scale
      return Math.fround((task === 'REGRESSION' ? offset : 0) + (ties ? Math.round(value) : value))
    }
    return {
      task,
      width,
      classes,
      logits: Array.from({ length: n * width }, logit),
      targets: Array.from({ length: n * perSample }, target),
    }
  })
}

function ours({ task, width, classes, logits, targets }: Case): TaskReport {
  const accumulator = taskAccumulator(task, { classes: Array.from({ length: classes }, (_, k) => String(k)) })
  return accumulator.compute(
    accumulator.update(accumulator.empty(), {
      n: logits.length / width,
      width,
      logits: Float32Array.from(logits),
      targets: Float64Array.from(targets),
    }),
  )
}

const describeWithSklearn = pythonHas('sklearn', 'numpy') ? describe : describe.skip

describeWithSklearn('scikit-learn says the same', () => {
  const all = cases()
  let references: Reference[]
  beforeAll(() => {
    references = JSON.parse(runPython(REFERENCE, all)) as Reference[]
  })

  test.each(all.map((one, i) => [i, one.task, one] as const))('case %i, %s', (i, task, one) => {
    const report = ours(one)
    const reference = references[i]!
    const values = Object.fromEntries(
      report.metrics.map((m) => [`${m.name}/${m.average ?? ''}/${m.class ?? ''}`, m.value] as const),
    )
    expect(Object.keys(values).sort()).toEqual(Object.keys(reference.metrics).sort())
    for (const [name, expected] of Object.entries(reference.metrics)) {
      const found = values[name]
      if (expected === null) expect({ [name]: found }).toEqual({ [name]: null })
      else {
        // Counts and their ratios to the last digits; sums of logarithms and squares relative to their size.
        const tolerance = /^(logLoss|mse|rmse|mae|r2)/.test(name) ? 1e-9 * Math.max(1, Math.abs(expected)) : 1e-12
        const equal = typeof found === 'number' && Math.abs(found - expected) <= tolerance
        expect({ [name]: equal ? 'equal' : found }).toEqual({ [name]: 'equal' })
      }
    }
    for (const { value, reason } of report.metrics) expect(value === null).toBe(reason !== null)

    const { confusionMatrix } = report
    if (task === 'REGRESSION') expect(confusionMatrix).toBeNull()
    else if (confusionMatrix?.kind === 'CLASSES') expect(denseConfusion(confusionMatrix)).toEqual(reference.confusion)
    else expect(confusionMatrix?.counts).toEqual(reference.confusion)
  })
})
