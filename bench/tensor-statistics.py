"""min, max, mean, std, counts and histogram of each array with numpy; prints MB/s as JSON. Peer of bench/tensor-statistics.ts."""
import json, sys, time
import numpy as np

folder, dtypes, rounds, bins = sys.argv[1], sys.argv[2].split(','), int(sys.argv[3]), int(sys.argv[4])
answer = {'numpy': np.__version__}
for dtype in dtypes:
    values = np.fromfile(f'{folder}/{dtype}.bin', dtype=dtype)
    best = float('inf')
    for _ in range(rounds):
        begin = time.process_time()
        finite = np.isfinite(values).all()
        zeros = values.size - np.count_nonzero(values)
        low, high, mean = values.min(), values.max(), values.mean(dtype=np.float64)
        deviation, norm = values.std(dtype=np.float64, ddof=1), np.sqrt(np.square(values, dtype=np.float64).sum())
        counts, _ = np.histogram(values, bins=bins)
        best = min(best, time.process_time() - begin)
    answer[dtype] = values.nbytes / best / 1e6
print(json.dumps(answer))
