"""Seconds of torch.load(weights_only=True) and torch.save of a .pth file, as JSON: the peer of checkpoint-io. Median of three, warm cache."""
import json, os, statistics, sys, time
import torch

path, copy = sys.argv[1], sys.argv[1] + ".copy"
load, save = [], []
for _ in range(3):
    begun = time.perf_counter()
    value = torch.load(path, weights_only=True)
    load.append(time.perf_counter() - begun)
    begun = time.perf_counter()
    torch.save(value, copy)
    save.append(time.perf_counter() - begun)
    os.remove(copy)
print(json.dumps({"torch": torch.__version__, "load": statistics.median(load), "save": statistics.median(save)}))
