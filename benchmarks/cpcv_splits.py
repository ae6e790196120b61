"""Splits of combinatorial purged cross-validation on one million rows, beside skfolio and purgedcv.

Ten groups, two held out: 45 splits, labels of 50 rows, an embargo of 100 rows behind the purge. Each tool runs in a
process of its own and consumes one split at a time; time is the median of several runs, memory the highest resident
size above that before the first run. The train sets are compared before anything is timed: skfolio's purge and embargo
are ours; purgedcv reads half-open labels and counts the embargo from the block's last row, so it is given 51 and 150.

    python -m benchmarks.cpcv_splits
"""

import contextlib
import gc
import hashlib
import json
import re
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

N_ROWS, N_GROUPS, N_TEST, HORIZON, EMBARGO = 1_000_000, 10, 2, 50, 100
SMALL = 4_000
RUNS = 9
LIMIT_SECONDS = 90
WORK = f"CPCV {N_GROUPS}/{N_TEST}, {N_ROWS:,} rows"


def _ends(n_rows: int, horizon: int = HORIZON) -> np.ndarray:
    return np.minimum(np.arange(n_rows) + horizon, n_rows - 1)


def _farm(n_rows: int) -> Iterable[tuple]:
    from farm.folds import CombinatorialPurgedCV

    return CombinatorialPurgedCV(N_GROUPS, N_TEST, label_end=_ends(n_rows), embargo=EMBARGO)


def _farm_indices(n_rows: int) -> Callable[[], Iterable[tuple]]:
    cv, X = _farm(n_rows), np.zeros((n_rows, 1))
    return lambda: cv.split(X)


def _farm_ranges(n_rows: int) -> Callable[[], Iterable[tuple]]:
    cv = _farm(n_rows)
    return lambda: cv.split_ranges(n_rows)


def _farm_laid_ranges(n_rows: int) -> Callable[[], Iterable[tuple]]:
    """Ranges from rows whose labels were read once, as one panel's splits are made."""
    cv = _farm(n_rows)
    rows = cv._lay_over(n_rows)
    return lambda: map(rows.ranges, cv.test_groups)


def _skfolio(n_rows: int) -> Callable[[], Iterable[tuple]]:
    from skfolio.model_selection import CombinatorialPurgedCV

    cv = CombinatorialPurgedCV(n_folds=N_GROUPS, n_test_folds=N_TEST, purged_size=HORIZON, embargo_size=EMBARGO)
    X = np.zeros((n_rows, 1))
    return lambda: cv.split(X)


def _purgedcv(n_rows: int) -> Callable[[], Iterable[tuple]]:
    import pandas as pd
    from purgedcv import CombinatorialPurgedCV

    times = pd.date_range("2000-01-01", periods=n_rows + HORIZON + 1, freq="min")
    cv = CombinatorialPurgedCV(
        n_splits=N_GROUPS,
        n_test_groups=N_TEST,
        prediction_times=pd.Series(times[:n_rows]),
        evaluation_times=pd.Series(times[HORIZON + 1 :]),
        embargo_observations=HORIZON + EMBARGO,
    )
    X = np.zeros((n_rows, 1))
    return lambda: cv.split(X)


TOOLS: dict[str, Callable[[int], Callable[[], Iterable[tuple]]]] = {
    "farm, index arrays": _farm_indices,
    "farm, ranges": _farm_ranges,
    "farm, ranges of rows read once": _farm_laid_ranges,
    "skfolio": _skfolio,
    "purgedcv": _purgedcv,
}


def _train_digest(splits: Iterable[tuple], as_ranges: bool) -> str:
    """Digest of all train sets in order; ranges are written out first."""
    digest = hashlib.blake2b(digest_size=16)
    for train, *_ in splits:
        rows = np.concatenate([np.arange(*pair) for pair in train]) if as_ranges else np.asarray(train)
        digest.update(rows.astype(np.int64).tobytes())
    return digest.hexdigest()


def _consume(splits: Iterable[tuple]) -> None:
    for split in splits:
        del split


def _resident_peak_mib() -> float:
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024


def _forget_peak() -> None:
    """Let the kernel's high-water mark start again from the present size, where it can."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _measure(tool: str) -> None:
    """In the tool's own process, printed as soon as known: digest of a small plan; median seconds and peak memory."""
    print(json.dumps({"digest": _train_digest(TOOLS[tool](SMALL)(), "ranges" in tool)}), flush=True)
    splits = TOOLS[tool](N_ROWS)
    gc.collect()
    _forget_peak()
    before = _resident_peak_mib()
    _consume(splits())
    peak = _resident_peak_mib() - before
    seconds = []
    for _ in range(RUNS):
        start = time.perf_counter()
        _consume(splits())
        seconds.append(time.perf_counter() - start)
    print(json.dumps({"seconds": statistics.median(seconds), "peak_mib": peak}))


def _in_own_process(tool: str) -> dict:
    """What the tool measured: without ``seconds`` when it gave no answer in time."""
    command = [sys.executable, "-m", "benchmarks.cpcv_splits", tool]
    root = Path(__file__).resolve().parent.parent
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=True)
        lines = done.stdout.splitlines()
    except subprocess.TimeoutExpired as late:
        lines = (late.stdout or b"").decode().splitlines()
    except subprocess.CalledProcessError as error:
        raise RuntimeError(f"{tool} failed: {error.stderr}") from error
    return {key: value for line in lines for key, value in json.loads(line).items()}


def rows() -> list[dict]:
    """A row for each of Farm's forms and for its peer: work, tool, seconds, ratio (seconds over Farm's), peak_mib.

    A tool without an answer in time has the limit as a lower bound of its seconds, and neither memory nor ratio.
    """
    measured = {tool: _in_own_process(tool) for tool in TOOLS}
    digests = {tool: found["digest"] for tool, found in measured.items() if "digest" in found}
    if len(set(digests.values())) != 1:
        raise RuntimeError(f"the tools do not train on the same rows: {digests}")
    table = []
    for form, ours in ((tool, found) for tool, found in measured.items() if tool.startswith("farm")):
        for tool, found in (("farm", ours), ("skfolio", measured["skfolio"]), ("purgedcv", measured["purgedcv"])):
            answered = "seconds" in found
            table.append(
                {
                    "work": f"{WORK}, {form.removeprefix('farm, ')}",
                    "tool": tool if answered else f"{tool} (no answer in {LIMIT_SECONDS} s)",
                    "seconds": found["seconds"] if answered else None,
                    "ratio": found["seconds"] / ours["seconds"] if answered else None,
                    "peak_mib": found.get("peak_mib"),
                }
            )
    return table


def main() -> None:
    """Print the table, or, with a tool's name, that tool's own measurement."""
    if len(sys.argv) > 1:
        _measure(sys.argv[1])
        return
    for row in rows():
        print(row)


if __name__ == "__main__":
    main()
