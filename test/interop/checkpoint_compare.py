"""Compares files that were written with those they were made of, by a real PyTorch.

Reads JSON on stdin: {"pairs": [{"original": PATH, "written": PATH, "pickle": BOOL}]}; prints a list of {"written": NAME, "problems": [...]}.
Runs under PyTorch 1.13 too, which has no mmap, and knows fewer names under weights_only.
"""
import contextlib
import json
import os
import pickle
import sys
import zipfile

import numpy as np
import torch

from describe_value import Describer

OLD = tuple(int(part) for part in torch.__version__.split(".")[:2]) < (2, 1)


def numpy_names():
    core = np._core if hasattr(np, "_core") else np.core
    dtypes = [getattr(np.dtypes, name) for name in dir(np.dtypes) if name.endswith("DType")]
    functions = [core.multiarray.scalar, core.multiarray._reconstruct, core.numeric._frombuffer]
    return [np.dtype, np.ndarray, bytes, *dtypes, *functions]


def load(path, **how):
    """The value, and the location tag of each storage in the order in which they are read."""
    tags = []

    def keep(storage, tag):
        tags.append(tag)
        return storage

    return torch.load(path, map_location=keep, **how), tags


def describe(path, **how):
    value, tags = load(path, **how)
    return Describer()(value), tags


def compare_current(original, written):
    problems = []
    try:
        expected = describe(original, weights_only=False)
    except RuntimeError as error:
        # 2.13 does not load every tensor that it saves (a complex32 one that requires a gradient): then not ours either.
        try:
            load(written, weights_only=False)
        except RuntimeError as other:
            return [] if str(other) == str(error) else [f"fails with {other} instead of {error}"]
        return ["loads, and the original does not"]
    except AttributeError:
        # 2.13 loads no uint16, uint32, uint64 or float8 of its own format before 1.6: there is nothing to compare with.
        return None
    for how in ways(original):
        try:
            # Mapped into memory, storages of no bytes become one storage, also those of the original.
            wanted = describe(original, weights_only=False, mmap=True) if "mmap" in how else expected
            with torch.serialization.safe_globals(numpy_names()):
                if describe(written, **how) != wanted:
                    problems.append(f"{how}: another value")
        except Exception as error:
            problems.append(f"{how}: {type(error).__name__}: {error}")
    return problems


def ways(original):
    """How PyTorch opens the original: not everything that is data here is on its own list, and only zips are mapped into memory."""
    yield {"weights_only": False}
    try:
        with torch.serialization.safe_globals(numpy_names()):
            describe(original, weights_only=True)
    except pickle.UnpicklingError:
        return
    yield {"weights_only": True}
    if zipfile.is_zipfile(original):
        yield {"weights_only": True, "mmap": True}


def compare_old(original, written):
    """What this PyTorch cannot read of the original it need not read of ours."""
    problems = []
    for weights_only in [False, True]:
        try:
            expected = describe(original, weights_only=weights_only)
        except Exception:
            continue
        try:
            if describe(written, weights_only=weights_only) != expected:
                problems.append(f"weights_only={weights_only}: another value")
        except Exception as error:
            problems.append(f"weights_only={weights_only}: {type(error).__name__}: {error}")
        else:
            problems.append("")
    return problems


def pickle_of(path):
    with zipfile.ZipFile(path) as archive:
        return archive.read(next(name for name in archive.namelist() if name.endswith("/data.pkl")))


def main():
    answers = []
    for pair in json.load(sys.stdin)["pairs"]:
        original, written = pair["original"], pair["written"]
        answer = {"written": os.path.basename(written)}
        with contextlib.suppress(zipfile.BadZipFile), zipfile.ZipFile(written) as archive:
            answer["testzip"] = archive.testzip()
        if OLD:
            found = compare_old(original, written)
            answer["read"] = found.count("")
            answer["problems"] = [problem for problem in found if problem]
        else:
            problems = compare_current(original, written)
            answer["ways"] = 0 if problems is None else len(list(ways(original)))
            answer["problems"] = problems or []
            if pair.get("pickle"):
                answer["samePickle"] = pickle_of(original) == pickle_of(written)
        answers.append(answer)
    json.dump({"torch": torch.__version__, "answers": answers}, sys.stdout)


main()
