"""torchmetrics' accuracy, precision, recall, F1, confusion matrix and exact AUROC. argv: folder samples classes batch; prints JSON."""
import importlib.util, json, pathlib, resource, sys, time
from unittest.mock import MagicMock
import numpy as np, torch

# torchmetrics imports these where they are installed, and fails where they do not fit the other packages. Neither is used here.
if importlib.util.find_spec("torchvision") is not None:
    sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "scripts"))
    from torchvision_models import load_models
    load_models()
try:
    import transformers
except Exception:
    sys.modules["transformers"] = MagicMock(__spec__=None)
from torchmetrics import MetricCollection
from torchmetrics.classification import (MulticlassAccuracy, MulticlassAUROC, MulticlassConfusionMatrix, MulticlassF1Score,
                                         MulticlassPrecision, MulticlassRecall)

folder, samples, classes, batch = sys.argv[1], *map(int, sys.argv[2:5])
logits = torch.from_numpy(np.fromfile(f"{folder}/logits.bin", np.float32).reshape(samples, classes))
targets = torch.from_numpy(np.fromfile(f"{folder}/targets.bin", np.int32).astype(np.int64))
begin = time.perf_counter()
metrics = MetricCollection({
    "accuracy": MulticlassAccuracy(classes, average="micro"), "precision": MulticlassPrecision(classes), "recall": MulticlassRecall(classes),
    "f1": MulticlassF1Score(classes), "confusion": MulticlassConfusionMatrix(classes), "auroc": MulticlassAUROC(classes, thresholds=None),
})
with torch.no_grad():
    for first in range(0, samples, batch):
        metrics.update(logits[first:first + batch].softmax(1), targets[first:first + batch])
    values = metrics.compute()
print(json.dumps({"seconds": time.perf_counter() - begin, "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                  "values": len(values), "auroc": float(values["auroc"]), "f1": float(values["f1"])}))
