"""`make mutate`: break one law at a time and see that tests/leaks goes red.

Each mutation changes a few characters of Farm's source in a copy of the project. One that leaves the tests green is a
hole in them, and so is one whose text is no longer in the source: both end with exit code 1.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
NEEDED = ("farm", "tests", "configs", "experiments", "pyproject.toml")


@dataclass(frozen=True)
class Mutation:
    """One broken law: ``old`` stands once in ``file`` and is replaced by ``new``."""

    law: str
    file: str
    old: str
    new: str

    def applied(self, tree: Path) -> str:
        """The source with the law broken; ValueError when the text does not stand there exactly once."""
        source = (tree / self.file).read_text(encoding="utf-8")
        if source.count(self.old) != 1:
            raise ValueError(f"{self.law}: {self.file} has {self.old!r} {source.count(self.old)} times, expected once")
        return source.replace(self.old, self.new)


MUTATIONS = (
    Mutation(
        "the purge is short by one bar",
        "farm/folds/purge.py",
        "                if exits[k] >= limit and crossing[k] >= start:",
        "                if exits[k] > limit and crossing[k] >= start:",
    ),
    Mutation(
        "the embargo is dropped",
        "farm/folds/plan.py",
        "until = [group.embargo_until for group in self.groups]",
        "until = [group.last_exit for group in self.groups]",
    ),
    Mutation(
        "scaling sees all rows",
        "farm/fit.py",
        "return view, Scaling.fitted(columns_of(inputs, view), wants.scale)",
        "return view, Scaling.fitted(columns_of(panel.values, view), wants.scale)",
    ),
    Mutation(
        "a higher timeframe is joined by its open time",
        "farm/features/asof.py",
        "Runs(*_runs(decision.available_at, decision.segment, higher.available_at, higher.segment))",
        "Runs(*_runs(decision.available_at, decision.segment, higher.open_time, higher.segment))",
    ),
    Mutation(
        "early stopping watches the test fold",
        "farm/fit.py",
        "tail = with_tail(events, train, model, catalog)\n    base",
        "tail = with_tail(events, train, model, catalog)\n"
        "    tail = test[events.labelled[test]][: len(tail)]\n    base",
    ),
    Mutation(
        "the stack is not nested",
        "farm/study.py",
        "nested = run_nested(steps, bases, lattice",
        "nested = run_unnested(steps, bases, lattice",
    ),
    Mutation(
        "an as-of join crosses its segment",
        "farm/features/asof.py",
        "if last >= 0 and higher_segment[last] == segment[begin] else -1",
        "if last >= 0 else -1",
    ),
    Mutation(
        "an as-of join of bases crosses its group",
        "farm/stack/lattice.py",
        "serves = (last >= 0) & (made >= start)",
        "serves = last >= 0",
    ),
    Mutation(
        "the purge forgets the labels of other bases",
        "farm/folds/plan.py",
        "latest = np.maximum(latest, last_exits(until, np.searchsorted(when, edges).astype(np.int64), _NEVER))",
        "latest = np.maximum(latest, _NEVER)",
    ),
    Mutation(
        "failed trials are forgotten",
        "farm/run/driver.py",
        'without = len(others) - len(keys) + sum(trial.role == "candidate" for trial in lost)',
        "without = len(others) - len(keys)",
    ),
    Mutation(
        "a baseline may pass",
        "farm/study.py",
        'return {trial.name: trial.headline.net for trial in self.trials if trial.role == "candidate"}',
        "return {trial.name: trial.headline.net for trial in self.trials}",
    ),
    Mutation(
        "paths are fed to PBO",
        "farm/study.py",
        'return {trial.name: trial.headline.net for trial in self.trials if trial.role == "candidate"}',
        'return {f"{trial.name}{path}": one.net for trial in self.trials if trial.role == "candidate"'
        " for path, one in enumerate((trial.headline, *trial.paths))}",
    ),
    Mutation(
        "only the entry costs",
        "farm/backtest/simulate.py",
        "exit_cost=cost[n : 2 * n],",
        "exit_cost=0 * cost[n : 2 * n],",
    ),
    Mutation(
        "orders fill at the close of the decision bar",
        "farm/labels/outcome.py",
        "entry_price = bars.open[rows + 1] if at_open else bars.close[rows]",
        "entry_price = bars.close[rows]",
    ),
    Mutation(
        "the lockbox is read",
        "farm/panel.py",
        "return self._made(base.between(0, lockbox_start(base.session, self.lockbox)), calendar, threads,",
        "return self._made(base, calendar, threads,",
    ),
)


def main() -> None:
    """Break every law once, print what became of it, and exit 1 unless all were noticed."""
    with tempfile.TemporaryDirectory(prefix="farm-mutate-") as folder:
        tree = Path(folder)
        for name in NEEDED:
            _copy(ROOT / name, tree / name)
        sound, seconds = _green(tree)
        print(f"{'green' if sound else 'RED'}  unchanged ({seconds:.0f} s)", flush=True)
        missed = [] if sound else ["the tests are red without any mutation"]
        for mutation in MUTATIONS if sound else ():
            missed += _tried(mutation, tree)
    if missed:
        sys.exit("not caught: " + "; ".join(missed))
    print(f"all {len(MUTATIONS)} mutations are caught")


def _tried(mutation: Mutation, tree: Path) -> list[str]:
    file = tree / mutation.file
    sound = file.read_text(encoding="utf-8")
    file.write_text(mutation.applied(tree), encoding="utf-8")
    green, seconds = _green(tree)
    file.write_text(sound, encoding="utf-8")
    print(f"{'MISSED' if green else 'caught'}  {mutation.law} ({seconds:.0f} s)", flush=True)
    return [mutation.law] if green else []


def _green(tree: Path) -> tuple[bool, float]:
    """Whether tests/leaks passes in the tree; anything but passed or failed tests is an error of this script."""
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "tests/leaks", "-q", "-x", "-p", "no:cacheprovider"],
        cwd=tree, env={**os.environ, "PYTHONPATH": str(tree)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode not in (0, 1):
        sys.exit(f"pytest ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.returncode == 0, time.monotonic() - started


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy2(source, target)


if __name__ == "__main__":
    main()
