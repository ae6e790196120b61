"""Panels of many symbols under a cap of memory: ``python -m benchmarks.streaming``.

Ray is given a fixed memory (its object store and its workers' heaps), and the panels of all symbols together are to be
three times that. They are built by the first stage of a run, exactly as a run builds them. What is measured while it
works is the private memory (USS) of every worker and of the driver: what each has for itself. It fails where driver and
workers together ever had more above what idle ones have than Ray was given, or where the panels were smaller than that.
"""

import argparse
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from farm.config import Experiment
from farm.run.executor import Work
from farm.run.prepare import PanelSpec, PreparedStudy, prepare_study

TIMES = 3
_MIB = 2**20
_STORE = 80 * _MIB
_HEAP = 176 * _MIB
_EVERY_SECONDS = 0.5


def experiment(home: str, symbols: int, years: float) -> Experiment:
    """As many artificial markets of hours, with a decision at every bar."""
    markets: dict[str, dict[str, float]] = {f"SYN-{number:03d}": {} for number in range(symbols)}
    return Experiment.model_validate(
        {
            "name": "streaming",
            "seed": 1,
            "home": home,
            "bars": {"source": "synthetic", "timeframe": "1h", "years": years, "markets": markets},
            "decisions": {"timeframe": "1h", "limit": 1_000_000},
            "features": {"preset": "core", "timeframes": ["4h", "12h"], "keep": 50, "allow_over_budget": True},
            "labels": {"kind": "triple_barrier", "up": 2, "down": 2, "max_bars": 24},
            "folds": {"kind": "cpcv", "groups": 6},
            "models": {"linear": {"uses": "logistic"}},
            "backtest": {"capital": 100000},
            "track": None,
        }
    )


@dataclass
class Watch:
    """The largest private memory seen, in bytes: of the driver, of one worker, and of driver and workers together."""

    driver: int = 0
    worker: int = 0
    together: int = 0
    stop: threading.Event = field(default_factory=threading.Event)

    def keep(self) -> None:
        """Look again and again until told to stop."""
        while not self.stop.wait(_EVERY_SECONDS):
            self.look()

    def look(self) -> None:
        """Look once."""
        own = psutil.Process().memory_full_info().uss
        workers = [_private(one) for one in psutil.Process().children(recursive=True) if _is_worker(one)]
        self.driver = max(self.driver, own)
        self.worker = max(self.worker, *workers, 0)
        self.together = max(self.together, own + sum(workers))


def measure(symbols: int, years: float, workers: int) -> None:
    """Build the panels and print what it took; AssertionError where the cap did not hold."""
    import ray

    with tempfile.TemporaryDirectory() as home:
        ray.init(
            num_cpus=workers, _memory=_HEAP, object_store_memory=_STORE, include_dashboard=False, log_to_driver=False
        )
        from farm.run.on_ray import OnRay

        whole = experiment(home, symbols, years)
        executor = OnRay(whole.execution.model_copy(update={"workers": workers}), whole.threads)
        work = Work("prepare panels", prepare_study, lambda spec: spec.symbol)
        specs = [PanelSpec(whole.of(symbol), symbol) for symbol in whole.bars.symbols]
        list(executor.map(work, specs[:workers]))  # imports and compiled code, as any worker has them
        idle = Watch()
        time.sleep(2 * _EVERY_SECONDS)
        idle.look()
        watch = Watch()
        thread = threading.Thread(target=watch.keep)
        thread.start()
        started = time.time()
        sizes = [_size(one) for one in executor.map(work, specs[workers:])]
        seconds = time.time() - started
        watch.stop.set()
        thread.join()
        ray.shutdown()
        stored = sum(one.stat().st_size for one in Path(home).rglob("*") if one.is_file())
    given, panels = _STORE + _HEAP, sum(sizes)
    above = watch.together - idle.together
    print(
        f"{len(sizes)} panels of {panels / _MIB:,.0f} MiB in all ({stored / _MIB:,.0f} MiB stored), built in "
        f"{seconds:.0f} s by {workers} workers; Ray was given {given / _MIB:,.0f} MiB, the panels are "
        f"{panels / given:.2f} times that.\nPrivate memory: driver at most {watch.driver / _MIB:,.0f} MiB "
        f"(idle {idle.driver / _MIB:,.0f}), a worker {watch.worker / _MIB:,.0f} (idle {idle.worker / _MIB:,.0f}), all "
        f"together {watch.together / _MIB:,.0f} (idle {idle.together / _MIB:,.0f}): {above / _MIB:,.0f} MiB above idle",
        flush=True,
    )
    assert panels >= TIMES * given, "the panels are smaller than they should be; give more years"
    assert above <= given, "driver and workers had more than Ray was given"


def _size(prepared: PreparedStudy) -> int:
    return prepared.n_bytes


def _is_worker(process: psutil.Process) -> bool:
    try:
        return process.name().startswith("ray::")
    except psutil.NoSuchProcess:
        return False


def _private(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().uss)
    except psutil.NoSuchProcess:
        return 0


def main() -> None:
    """Measure with 200 symbols, or as many as are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--symbols", type=int, default=202)
    parser.add_argument("--years", type=float, default=1.0)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    measure(given.symbols, given.years, given.workers)


if __name__ == "__main__":
    main()
