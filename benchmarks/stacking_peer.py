"""Pair nesting beside scikit-learn's `StackingClassifier` nested in the same outer groups: time, fits, log-loss.

Both stand on the same bases and rows, learn from the same purged rows, and predict every group from the others. For
every group scikit-learn's stack refits its bases on each of the other groups' complements (its inner folds) and once
more on all of them; pair nesting fits one model for every pair of groups and reads all it needs out of that.

`python -m benchmarks.stacking_peer` prints the figures; `--seeds N` takes more worlds.
"""

import argparse
import json
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from threadpoolctl import threadpool_limits

from farm.folds import Cpcv, FoldPlan
from farm.labels import Events
from farm.stack import Market, Stack, build_lattice, run_nested

Float = NDArray[np.float64]

ROWS, GROUPS, WATCHED, SEEDS = 1200, 6, 4, 10
BASES: dict[str, Any] = {
    "linear": LogisticRegression(C=0.1),
    "bayes": GaussianNB(),
    "neighbours": KNeighborsClassifier(25),
}
TOOLS = ("farm", "scikit-learn")


@dataclass(frozen=True, eq=False)
class World:
    features: Float
    events: Events
    plan: FoldPlan

    @property
    def label(self) -> NDArray[np.int8]:
        return self.events.label


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("tool", nargs="?", choices=TOOLS)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    chosen = parser.parse_args()
    if chosen.tool is None:
        print(section(chosen.seeds))
    else:
        print(json.dumps(measured(chosen.tool, chosen.seeds)))


def section(seeds: int = SEEDS) -> str:
    """The part of the page: a table, and the paired difference of the two log-losses."""
    found = {
        tool: json.loads(
            subprocess.run(
                [sys.executable, "-m", "benchmarks.stacking_peer", tool, "--seeds", str(seeds)],
                capture_output=True, text=True, check=True,
            ).stdout
        )
        for tool in TOOLS
    }  # fmt: skip
    mean, half = interval(np.subtract(found["farm"]["log_loss"], found["scikit-learn"]["log_loss"]))
    base = found["farm"]["seconds"]
    lines = [
        "## A nested stack beside scikit-learn's `StackingClassifier`",
        "",
        textwrap.fill(
            f"{len(BASES)} bases on {ROWS} rows, labels of {WATCHED} rows, the same {GROUPS} outer groups, purged; "
            "above the bases a logistic regression in both, and Farm also learns how to bet. Processor seconds a world "
            f"on one thread; the log-loss is the mean over {seeds} worlds with signal.",
            120,
        ),
        "",
        "| tool | seconds | ratio | base fits | log-loss |",
        "| --- | ---: | ---: | ---: | ---: |",
        *(
            f"| {tool} | {one['seconds']:.3g} | {one['seconds'] / base:.3g} | {one['fits']} | "
            f"{np.mean(one['log_loss']):.4f} |"
            for tool, one in found.items()
        ),
        "",
        f"Log-loss of Farm less scikit-learn's, world by world: {mean:+.5f} ± {half:.5f} (95%, Student's t).",
    ]
    return "\n".join(lines) + "\n"


def interval(differences: Float) -> tuple[float, float]:
    n = len(differences)
    return float(np.mean(differences)), float(t.ppf(0.975, n - 1) * np.std(differences, ddof=1) / np.sqrt(n))


def measured(tool: str, seeds: int) -> dict[str, Any]:
    """Median processor seconds a world, base fits a world, and the log-loss of every world."""
    stacked: Callable[[World], tuple[Float, int]] = pair_nesting if tool == "farm" else stacking_classifier
    seconds, losses, fits = [], [], 0
    with threadpool_limits(1):
        stacked(world(0))  # imports and compiled kernels
        for seed in range(seeds):
            one = world(seed)
            started = time.process_time()  # one thread, no waiting: what others do on the machine does not count
            up, fits = stacked(one)
            seconds.append(time.process_time() - started)
            losses.append(log_loss(up, one.label))
    return {"seconds": float(np.median(seconds)), "fits": fits, "log_loss": losses}


def log_loss(up: Float, label: NDArray[np.int8]) -> float:
    return float(-np.mean(np.log(np.where(label > 0, up, 1 - up))))


def world(seed: int) -> World:
    """Three of six features know a part of the first of the next steps; a label is the sign of the sum of four."""
    rng = np.random.default_rng([31, seed])
    features = rng.standard_normal((ROWS, 6))
    steps = features[:, 0] + features[:, 1] * np.sign(features[:, 2]) + rng.standard_normal(ROWS)
    move = np.convolve(steps, np.ones(WATCHED))[WATCHED - 1 :][:ROWS]
    label = np.where(move > 0, 1, -1).astype(np.int8)
    row = np.arange(ROWS)
    known = {field.name: np.zeros(ROWS) for field in fields(Events)} | {
        "row": row, "decided_at": row + 1, "entered_at": row + 1, "entry_row": row + 1, "exited_at": row + WATCHED,
        "exit_row": row + WATCHED, "entry_price": np.ones(ROWS), "volatility": np.full(ROWS, 0.01), "label": label,
        "ret": 0.005 * move, "labelled": np.ones(ROWS, dtype=bool),
    }  # fmt: skip
    events = Events(**known)
    clock = np.arange(1, ROWS + WATCHED + 1)
    plan = Cpcv(groups=GROUPS, test_groups=2, embargo=f"{WATCHED} bars", lockbox=0).plan(
        events.decided_at, events.exited_at, clock=clock, session=clock // 50
    )
    return World(features, events, plan)


def pair_nesting(one: World) -> tuple[Float, int]:
    """Probability of up for every row, and the number of bases fitted."""
    events, plan = one.events, one.plan
    predictions: dict[str, dict[int, tuple[Any, Float]]] = {name: {} for name in BASES}
    fits = 0
    for split, held_out in enumerate(plan.splits):
        train = plan.train_rows(events.decided_at, events.exited_at, held_out)
        test = plan.test_rows(events.decided_at, held_out)
        for name, base in BASES.items():
            up = clone(base).fit(one.features[train], one.label[train]).predict_proba(one.features[test])[:, 1]
            predictions[name][split] = (events.decided_at[test], np.column_stack((1 - up, 0 * up, up)))
            fits += 1
    lattice = build_lattice(plan, events.decided_at, predictions)
    market = Market(np.full(ROWS, 0.01), np.full(ROWS, 1e-4))
    steps = Stack(steps=[{"kind": "combine", "uses": "logistic"}]).complete()
    return run_nested(steps, tuple(BASES), lattice, plan, events, market).mean().probability[:, 2], fits


def stacking_classifier(one: World) -> tuple[Float, int]:
    """As `pair_nesting`: for every group a stack of its own, with the other groups as its purged inner folds."""
    from sklearn.ensemble import StackingClassifier

    events, plan = one.events, one.plan
    group = plan.group_of(events.decided_at)
    up = np.full(ROWS, np.nan)
    fits = 0
    for own in range(GROUPS):
        train = plan.train_rows(events.decided_at, events.exited_at, (own,))
        inner = []
        for other in range(GROUPS):
            if other != own:
                kept = plan.train_rows(events.decided_at, events.exited_at, tuple(sorted((own, other))))
                inner.append((np.searchsorted(train, kept), np.flatnonzero(group[train] == other)))
        stack = StackingClassifier(
            [(name, clone(base)) for name, base in BASES.items()],
            final_estimator=LogisticRegression(),
            cv=inner,
            stack_method="predict_proba",
        )
        stack.fit(one.features[train], one.label[train])
        up[group == own] = stack.predict_proba(one.features[group == own])[:, 1]
        fits += len(BASES) * (len(inner) + 1)
    return up, fits


if __name__ == "__main__":
    main()
