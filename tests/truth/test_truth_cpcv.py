"""Published and peer fold plans (truth file 03): counts, paths, and train and test sets row by row.

Stances where the peers disagree. Purge (8, 10): label intervals are closed; ``interval="half_open"`` gives purgedcv's
sets, as do closed labels one row shorter. Embargo (8): counted from the last label end, which is skfolio's sum of purge
and embargo; ``embargo_from="block_end"`` is purgedcv's union. Remainder (9): the first groups are one row longer.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from farm.folds import CombinatorialPurgedCV, PurgedKFold

FILE = "03_cpcv.json"


class Result(NamedTuple):
    case: str
    source: str
    ours: float
    theirs: float
    difference: float
    tolerance: float


def results() -> list[Result]:
    """One row for every number and every train or test set (its size, and how many rows differ) of every case."""
    folder = os.environ.get("FARM_TRUTH")
    if not folder:
        return []
    cases = json.loads((Path(folder) / FILE).read_text())["cases"]
    return [
        Result(f"{case['id']}/{name}", case["source"], ours, theirs, difference, case["tol"])
        for case in cases
        for name, ours, theirs, difference in _measure(case["id"])(case["inputs"], case["expected"])
    ]


def _measure(case_id: str):
    """The comparison for a kind of case, named by the start of its id."""
    return next(compare for start, compare in KINDS.items() if case_id.startswith(start))


def _number(name: str, ours: float, theirs: float) -> tuple[str, float, float, float]:
    return name, ours, theirs, abs(ours - theirs)


def _set(name: str, ours: np.ndarray, theirs: list[list[int]]) -> tuple[str, float, float, float]:
    expected = [row for first, last in theirs for row in range(first, last + 1)]
    return name, len(ours), len(expected), len(np.setxor1d(ours, expected))


def _sets(name: str, splitter, n_rows: int, splits: list[dict]) -> Iterator[tuple]:
    yield _number(f"{name}/n_splits", splitter.get_n_splits(), len(splits))
    for number, ((train, test), theirs) in enumerate(zip(splitter.split(np.zeros(n_rows)), splits, strict=True)):
        test_runs = theirs["test"] if "test" in theirs else [run for block in theirs["tests"] for run in block]
        yield _set(f"{name}/{number}/train", train, theirs["train"])
        yield _set(f"{name}/{number}/test", test, test_runs)


def _counts(inputs: dict, expected: dict) -> Iterator[tuple]:
    cv = CombinatorialPurgedCV(inputs["N"], inputs["k"])
    ours = {"n_splits": cv.n_splits, "n_paths": cv.n_paths}
    for name, theirs in expected.items():
        yield _number(name, ours["n_splits" if name.endswith("n_splits") else "n_paths"], theirs)


def _horizon_sets(inputs: dict, expected: dict) -> Iterator[tuple]:
    n_rows, horizon = inputs["T"], inputs["purge_bars"]
    ends = np.minimum(np.arange(n_rows) + horizon, n_rows - 1)
    common = {"label_end": ends, "embargo": inputs["embargo_bars"]}
    sum_of_both = CombinatorialPurgedCV(inputs["N"], inputs["k"], **common)
    yield from _sets("skfolio", sum_of_both, n_rows, expected["skfolio"])
    union = CombinatorialPurgedCV(inputs["N"], inputs["k"], **common, embargo_from="block_end", interval="half_open")
    yield from _sets("purgedcv", union, n_rows, expected["purgedcv"])


def _label_end_sets(inputs: dict, expected: dict) -> Iterator[tuple]:
    for interval in ("half_open", "closed"):
        cv = CombinatorialPurgedCV(
            inputs["N"],
            inputs["k"],
            label_end=inputs["label_end_index"],
            embargo=inputs["embargo_bars"],
            embargo_from="block_end",
            interval=interval,
        )
        yield from _sets(interval, cv, inputs["T"], expected[interval])


def _kfold_sets(inputs: dict, expected: dict) -> Iterator[tuple]:
    n_rows = inputs["T"]
    ends = np.minimum(np.arange(n_rows) + inputs["label_horizon_bars"], n_rows - 1)
    cv = PurgedKFold(
        inputs["K"],
        label_end=ends,
        embargo=inputs["embargo_bars"],
        embargo_from="block_end",
        interval="half_open",
    )
    yield from _sets("purgedcv", cv, n_rows, expected["folds"])


def _paths(inputs: dict, expected: dict) -> Iterator[tuple]:
    cv = CombinatorialPurgedCV(inputs["N"], inputs["k"])
    theirs = expected["recombined_paths_split_index_by_group"]  # one row a group
    for name, ours, their in (
        ("test_groups", cv.test_groups, expected["test_groups_per_split"]),
        ("paths", cv.paths().T, theirs),
    ):
        yield name, np.size(ours), np.size(their), int((np.array(ours) != np.array(their)).sum())
    path_of = {(split, group): path for path, row in enumerate(cv.paths()) for group, split in enumerate(row)}
    ids = [[path_of[split, group] for group in held] for split, held in enumerate(cv.test_groups)]
    yield "path_ids", np.size(ids), cv.n_splits * 2, int((np.array(ids) != expected["path_ids_per_split"]).sum())


def _invariants(inputs: dict, expected: dict) -> Iterator[tuple]:
    """The rules as counts of violations, over one plan with ragged labels."""
    n_rows, n_groups, k = 200, 7, 3
    ends = np.minimum(np.arange(n_rows) + np.random.default_rng(2).integers(0, 9, n_rows), n_rows - 1)
    cv = CombinatorialPurgedCV(n_groups, k, label_end=ends)
    splits = list(cv.split(ends))
    times = np.bincount(np.concatenate([test for _, test in splits]), minlength=n_rows)
    pairs = [(split, group) for row in cv.paths() for group, split in enumerate(row)]
    held = [(split, group) for split, groups in enumerate(cv.test_groups) for group in groups]
    overlaps = sum(
        int(((train[:, None] <= ends[test]) & (test <= ends[train][:, None])).sum()) for train, test in splits
    )
    between = splits[cv.test_groups.index((0, 1, 6))][0]
    violations = {
        "every sample is in test": int((times != cv.n_paths).sum()),
        "each path visits": int((cv.paths() < 0).sum()),
        "train and test are disjoint": sum(len(np.intersect1d(*split)) for split in splits),
        "no train label interval": overlaps,
        "the union over paths": int(sorted(pairs) != held),
        "purge around EACH": int(not (between > 80).any()),
    }
    for rule in expected["rules"]:
        found = next(count for start, count in violations.items() if rule.startswith(start))
        yield rule, found, 0, found


KINDS = {
    "cpcv_counts": _counts,
    "cpcv_sets": _horizon_sets,
    "cpcv_labelend": _label_end_sets,
    "cpcv_paths": _paths,
    "cpcv_invariants": _invariants,
    "purged_kfold": _kfold_sets,
}


ROWS = results()


@pytest.mark.skipif(not ROWS, reason="FARM_TRUTH is not set")
@pytest.mark.parametrize("case", sorted({row.case.split("/")[0] for row in ROWS}))
def test_folds_agree_with_the_published_and_peer_case(case):
    rows = [row for row in ROWS if row.case.split("/")[0] == case]
    assert not [row for row in rows if row.difference > row.tolerance]
