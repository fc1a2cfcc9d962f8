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
  /** None: every sample counts once. */
  readonly weights: readonly number[] | null
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

def fbeta(y, p, **more):
    return skm.fbeta_score(y, p, beta=2, **more)

SCORES = (("precision", skm.precision_score), ("recall", skm.recall_score), ("f1", skm.f1_score), ("fBeta", fbeta))

def areas(out, y, q, w, columns, whole):
    # One class against the others; a class without positives has no average precision, where scikit-learn says 0.
    each = {"rocAuc": [], "averagePrecision": []}
    support = []
    for k in range(columns):
        t, v = (y, w) if y.ndim == 1 else (y[:, k], w)
        n1, n0 = v[t == 1].sum(), v[t == 0].sum()
        if y.ndim == 1 and not whole:
            t = (y == k).astype(int)
            n1, n0 = v[t == 1].sum(), v[t == 0].sum()
        s = q if q.ndim == 1 else q[:, k]
        support.append(n1)
        each["rocAuc"].append(skm.roc_auc_score(t, s, sample_weight=v) if n1 > 0 and n0 > 0 else nan)
        each["averagePrecision"].append(skm.average_precision_score(t, s, sample_weight=v) if n1 > 0 else nan)
        if whole or y.ndim == 2:
            name = "" if whole else str(k)
            best(out, t, s, v, name)
    for name, values in each.items():
        values, weights = np.array(values), np.array(support)
        if whole:
            out[f"{name}//"] = float(values[0])
            continue
        for k, v in enumerate(values):
            out[f"{name}//{k}"] = float(v)
        known = ~np.isnan(values)
        out[f"{name}/macro/"] = float(values[known].mean()) if known.any() else nan
        total = weights[known].sum()
        plain = total == 0
        out[f"{name}/weighted/"] = nan if not known.any() else float(values[known].mean()) if plain else float((values * weights)[known].sum() / total)

def best(out, t, s, v, name):
    thresholds = sorted(set(s.tolist()), reverse=True)
    f1 = [float(2 * v[(s >= c) & (t == 1)].sum() / (v[t == 1].sum() + v[s >= c].sum())) for c in thresholds]
    costs = [v[t == 1].sum()] + [v[(s < c) & (t == 1)].sum() + v[(s >= c) & (t == 0)].sum() for c in thresholds]
    positives = v[t == 1].sum() > 0
    out[f"bestF1//{name}"] = max(f1) if positives else nan
    out[f"bestF1Threshold//{name}"] = thresholds[int(np.argmax(np.round(f1, 12)))] if positives else nan
    at = int(np.argmin(np.round(costs, 9)))
    out[f"bestCost//{name}"] = float(costs[at] / v.sum())
    out[f"bestCostThreshold//{name}"] = nan if at == 0 else thresholds[at - 1]

def ece(confidence, right, w, bins=15):
    at = np.minimum(bins - 1, np.floor(confidence * bins).astype(int))
    return float(sum(abs((w * (confidence - right))[at == b].sum()) for b in range(bins)) / w.sum())

def ratios(out, y, p, labels, average, suffix, w):
    for name, f in SCORES:
        value = f(y, p, labels=labels, average=average, zero_division=nan, sample_weight=w)
        if average is None:
            for k, v in enumerate(np.atleast_1d(value)):
                out[f"{name}//{k}"] = float(v)
        else:
            out[f"{name}/{suffix}/"] = float(value)
    if average == "samples":
        up, down = (y & p).sum(1), (y | p).sum(1)
        known = down > 0
        out["jaccard/samples/"] = float(np.average((up[known] / down[known]), weights=w[known])) if known.any() else nan
        return
    # Of each class: true negatives, false positives, false negatives, true positives.
    c = skm.multilabel_confusion_matrix(y, p, labels=labels, sample_weight=w).astype(float)
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
    w = np.array(case["weights"], np.float64) if case["weights"] else np.ones(n)
    if task == "REGRESSION":
        y = np.array(case["targets"], np.float64).reshape(n, width)
        each = (("mse", skm.mean_squared_error, {}), ("rmse", skm.root_mean_squared_error, {}), ("mae", skm.mean_absolute_error, {}),
            ("mape", skm.mean_absolute_percentage_error, {}), ("medianAbsoluteError", skm.median_absolute_error, {}),
            ("r2", skm.r2_score, {"force_finite": False}), ("explainedVariance", skm.explained_variance_score, {"force_finite": False}))
        for name, f, more in each:
            if name == "medianAbsoluteError" and case["weights"]:
                continue
            raw = [nan] * width if n < 2 and name in ("r2", "explainedVariance") else f(y, x, multioutput="raw_values", sample_weight=w, **more)
            out[f"{name}//"] = float(np.mean(raw))
            if width > 1:
                for k, v in enumerate(raw):
                    out[f"{name}//{k}"] = float(v)
        largest = [skm.max_error(y[:, k], x[:, k]) for k in range(width)]
        out["maxError//"] = float(max(largest))
        if width > 1:
            for k, v in enumerate(largest):
                out[f"maxError//{k}"] = float(v)
    elif task == "MULTILABEL":
        y = np.array(case["targets"], int).reshape(n, width)
        q = 1 / (1 + np.exp(-x))
        p = (q >= 0.5).astype(int)
        out["accuracy//"] = skm.accuracy_score(y, p, sample_weight=w)
        out["hammingLoss//"] = skm.hamming_loss(y, p, sample_weight=w)
        for average in (None, "micro", "macro", "weighted", "samples"):
            # One column would be taken for binary labels; the averages of one label are that label's values.
            if width == 1:
                if average == "samples":
                    a, b, h = y[:, 0], p[:, 0], (y & p)[:, 0]
                    for name, up, down in (("precision", h, b), ("recall", h, a), ("f1", 2 * h, a + b), ("fBeta", 5 * h, 4 * a + b), ("jaccard", h, a + b - h)):
                        v = up[down > 0] / down[down > 0]
                        out[f"{name}/samples/"] = float(np.average(v, weights=w[down > 0])) if len(v) else nan
                else:
                    ratios(out, y[:, 0], p[:, 0], [1], average, average, w)
            else:
                ratios(out, y, p, None, average, average, w)
        out["logLoss//"] = float(np.mean([skm.log_loss(y[:, k], q[:, k], labels=[0, 1], sample_weight=w) for k in range(width)]))
        out["brier//"] = float(np.average(((q - y) ** 2).mean(1), weights=w))
        out["ece//"] = ece(q.ravel(), y.ravel(), np.repeat(w, width))
        areas(out, y, q, w, width, False)
        confusion = [skm.confusion_matrix(y[:, k], p[:, k], labels=[0, 1], sample_weight=w).tolist() for k in range(width)]
    else:
        y = np.array(case["targets"], int)
        labels = list(range(classes))
        if task == "BINARY":
            q = 1 / (1 + np.exp(-x[:, 0])) if width == 1 else softmax(x)
            one = q if width == 1 else q[:, 1]
            p = (one >= 0.5).astype(int)
            for name, f in SCORES:
                out[f"{name}//"] = float(f(y, p, average="binary", zero_division=nan, sample_weight=w))
            out["specificity//"] = float(skm.recall_score(1 - y, 1 - p, zero_division=nan, sample_weight=w))
            either = ((y == 1) | (p == 1)).sum()
            out["jaccard//"] = float(skm.jaccard_score(y, p, sample_weight=w)) if either > 0 else nan
            out["brier//"] = float(skm.brier_score_loss(y, one, sample_weight=w, labels=[0, 1]))
            out["ece//"] = ece(one, y, w)
            areas(out, y, one, w, 1, True)
        else:
            q, p = softmax(x), x.argmax(1)
            out["brier//"] = float(skm.brier_score_loss(y, q, sample_weight=w, labels=labels, scale_by_half=False))
            out["ece//"] = ece(q[np.arange(n), p], p == y, w)
            areas(out, y, q, w, classes, False)
            for k in (2, 3, 5):
                if k < classes:
                    out[f"top{k}Accuracy//"] = float(skm.top_k_accuracy_score(y, x, k=k, labels=labels, sample_weight=w))
        out["accuracy//"] = skm.accuracy_score(y, p, sample_weight=w)
        out["balancedAccuracy//"] = skm.balanced_accuracy_score(y, p, sample_weight=w)
        # scikit-learn says 0 where it is undefined.
        out["mcc//"] = skm.matthews_corrcoef(y, p, sample_weight=w) if len(set(y)) > 1 and len(set(p)) > 1 else nan
        out["cohenKappa//"] = skm.cohen_kappa_score(y, p, labels=labels, sample_weight=w)
        for average in (None, "micro", "macro", "weighted"):
            ratios(out, y, p, labels, average, average, w)
        out["logLoss//"] = skm.log_loss(y, q, labels=labels, sample_weight=w)
        confusion = skm.confusion_matrix(y, p, labels=labels, sample_weight=w).tolist()
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
      weights: i % 5 === 4 ? Array.from({ length: n }, () => 0.25 + 3 * next()) : null,
    }
  })
}

function ours({ task, width, classes, logits, targets, weights }: Case): TaskReport {
  const accumulator = taskAccumulator(task, { classes: Array.from({ length: classes }, (_, k) => String(k)) })
  return accumulator.compute(
    accumulator.update(accumulator.empty(), {
      first: 0,
      n: logits.length / width,
      width,
      logits: Float32Array.from(logits),
      targets: Float64Array.from(targets),
      weights: weights === null ? undefined : Float64Array.from(weights),
    }),
  )
}

/** Equal counts, or weights within the last digits. */
function closeTo(found: unknown, expected: unknown): void {
  const numbers = (value: unknown) => (value as number[][][]).flat(2)
  expect(numbers(found)).toHaveLength(numbers(expected).length)
  numbers(found).forEach((count, i) => expect(count).toBeCloseTo(numbers(expected)[i]!, 9))
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
      report.metrics
        // The median of weighted errors comes from bins, and says so.
        .filter(({ name }) => !(name === 'medianAbsoluteError' && one.weights !== null))
        .map((m) => [`${m.name}/${m.average ?? ''}/${m.class ?? ''}`, m.value] as const),
    )
    expect(Object.keys(values).sort()).toEqual(Object.keys(reference.metrics).sort())
    for (const [name, expected] of Object.entries(reference.metrics)) {
      const found = values[name]
      if (expected === null) expect({ [name]: found }).toEqual({ [name]: null })
      else {
        // Counts and their ratios to the last digits; sums of logarithms and squares relative to their size.
        const tolerance =
          /^(logLoss|brier|ece|mse|rmse|mae|mape|median|maxError|r2|explained)/.test(name) || one.weights !== null
            ? 1e-9 * Math.max(1, Math.abs(expected))
            : 1e-12
        const equal = typeof found === 'number' && Math.abs(found - expected) <= tolerance
        expect({ [name]: equal ? 'equal' : found }).toEqual({ [name]: 'equal' })
      }
    }
    for (const { value, reason } of report.metrics) expect(value === null).toBe(reason !== null)

    const { confusionMatrix } = report
    if (task === 'REGRESSION') expect(confusionMatrix).toBeNull()
    else if (confusionMatrix?.kind === 'CLASSES') closeTo(denseConfusion(confusionMatrix), reference.confusion)
    else closeTo(confusionMatrix?.counts, reference.confusion)
  })
})
