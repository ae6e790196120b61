"""How busy 64 workers are kept by fits of half a second to two: ``python -m benchmarks.utilisation``.

The fits sleep, so that a machine of two cores can have 64 logical ones: what is measured is the dispatch alone, through
the executor that a run uses. Workers are processes of some hundred megabytes each; their start is waited for and told
apart. The share is that of the workers' time, from the first start of a fit to the last end, that went into fits.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from farm.config import Execution
from farm.run.executor import Work

LEAST = 0.85
_WAIT_SECONDS = 600.0
_GIB = 2**30


@dataclass(frozen=True)
class Sleep:
    """A fit that takes so many seconds and no processor."""

    number: int
    seconds: float


@dataclass(frozen=True)
class Slept:
    """When a fit was at work, and in which process."""

    number: int
    process: int
    began: float
    ended: float


@dataclass(frozen=True)
class Gathering:
    """A call to every worker to be there at once: each leaves a mark in the folder and waits for all the others'."""

    number: int
    folder: str
    expected: int


def sleep(spec: Sleep) -> Slept:
    """Sleep as long as the fit takes."""
    began = time.time()
    time.sleep(spec.seconds)
    return Slept(spec.number, os.getpid(), began, time.time())


def gather(spec: Gathering) -> Slept:
    """Wait until as many processes are here as are expected."""
    began = time.time()
    folder = Path(spec.folder)
    (folder / str(os.getpid())).touch()
    while len(list(folder.iterdir())) < spec.expected:
        if time.time() > began + _WAIT_SECONDS:
            raise TimeoutError(f"only {len(list(folder.iterdir()))} of {spec.expected} workers came")
        time.sleep(0.2)
    return Slept(spec.number, os.getpid(), began, time.time())


def utilisation(slept: Sequence[Slept], workers: int) -> float:
    """Share of the workers' time in which they were at work on a fit.

    >>> utilisation([Slept(0, 1, 0.0, 4.0), Slept(1, 2, 0.0, 3.0)], 2)
    0.875
    """
    span = max(one.ended for one in slept) - min(one.began for one in slept)
    return sum(one.ended - one.began for one in slept) / (workers * span)


def measure(workers: int, fits: int, seed: int) -> float:
    """Start a local Ray, warm its workers up, run the fits, and print what came of it."""
    from farm.run.on_ray import OnRay

    rng = np.random.default_rng(seed)
    specs = [Sleep(number, float(seconds)) for number, seconds in enumerate(rng.uniform(0.5, 2.0, fits))]
    with tempfile.TemporaryDirectory() as folder:
        started = time.time()
        executor = OnRay(Execution(on="ray", workers=workers), threads=1)
        try:
            calls = [Gathering(number, folder, workers) for number in range(workers)]
            list(executor.map(Work("gather", gather), calls))
            warm = time.time()
            print(f"{workers} workers warm {warm - started:.0f} s after Ray was asked for", flush=True)
            slept = list(executor.map(Work("sleep", sleep, lambda spec: str(spec.number)), specs))
            wall = time.time() - warm
            available = psutil.virtual_memory().available / _GIB
        finally:
            executor.close()
    assert sorted(one.number for one in slept) == list(range(fits)), "a fit was lost or made twice"
    share = utilisation(slept, workers)
    ideal = sum(spec.seconds for spec in specs) / workers
    processes = len({one.process for one in slept})
    print(
        f"{fits} fits of 0.5 to 2 s in {wall:.1f} s by {processes} processes (without any loss {ideal:.1f} s): "
        f"utilisation {share:.3f} from first start to last end, {ideal / wall:.3f} of the whole phase; "
        f"{available:.1f} GiB of memory were left"
    )
    return share


def main() -> None:
    """Measure, and fail below the share that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=64)
    parser.add_argument("--fits", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    share = measure(given.workers, given.fits, given.seed)
    if share < LEAST:
        raise SystemExit(f"utilisation {share:.3f} is under {LEAST}")


if __name__ == "__main__":
    from benchmarks import utilisation  # workers know it by this name

    utilisation.main()
