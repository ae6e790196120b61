"""Published and peer values of bet sizes and Kelly fractions (truth file 07)."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from farm.backtest import bet_size, bet_statistic, discretise, kelly, kelly_continuous, power_size, sigmoid_size

FILE = "07_betsizing_kelly_stats.json"


class Result(NamedTuple):
    case: str
    source: str
    ours: float
    theirs: float
    difference: float
    tolerance: float


def results() -> list[Result]:
    """One row for every number of every case about bets; empty where FARM_TRUTH is unset."""
    folder = os.environ.get("FARM_TRUTH")
    if not folder:
        return []
    path = Path(folder) / FILE
    cases = {case["id"]: case for case in json.loads(path.read_text())["cases"]}
    rows = []
    for case_id, measure in MEASURES.items():
        case = cases[case_id]
        for name, ours, theirs in measure(case["inputs"], case["expected"], path.parent):
            for i, (own, their) in enumerate(zip(np.ravel(ours).tolist(), np.ravel(theirs).tolist(), strict=True)):
                row = Result(f"{case_id}/{name}[{i}]", case["source"], own, their, abs(own - their), case["tol"])
                rows.append(row)
    return rows


def _probability(inputs: dict, expected: dict, folder: Path) -> Iterator[tuple]:
    size = bet_size(inputs["prob"], inputs["num_classes"], side=inputs["side"])
    yield "z", bet_statistic(inputs["prob"], inputs["num_classes"]), expected["z"]
    yield "signal", size, expected["signal"]
    yield "discretised_0_1", discretise(size, 0.1), expected["discretised_0_1"]


def _divergence(inputs: dict, expected: dict, folder: Path) -> Iterator[tuple]:
    yield "sigmoid", [sigmoid_size(x, width) for width, x in inputs["sigmoid"]], expected["sigmoid"]
    yield "power", [power_size(x, exponent) for exponent, x in inputs["power"]], expected["power"]


def _kelly(inputs: list, expected: dict, folder: Path) -> Iterator[tuple]:
    yield "f", kelly([bet["p"] for bet in inputs], [bet["b"] for bet in inputs]), expected["f"]


def _kelly_continuous(inputs: dict, expected: dict, folder: Path) -> Iterator[tuple]:
    lines = (folder / inputs["logret_csv"]).read_text().split()
    header = 0 if _is_number(lines[0]) else 1
    returns = np.expm1([float(line.split(",")[-1]) for line in lines[header:]])
    yield "mu", returns.mean(), expected["mu"]
    yield "var_ddof0", returns.var(), expected["var_ddof0"]
    yield "f_approx", kelly_continuous(returns, exact=False), expected["f_approx"]
    yield "f_exact", kelly_continuous(returns), expected["f_exact"]


def _is_number(text: str) -> bool:
    try:
        float(text.split(",")[-1])
    except ValueError:
        return False
    return True


MEASURES = {
    "betsize_prob_binary": _probability,
    "betsize_sigmoid_power": _divergence,
    "kelly_binary": _kelly,
    "kelly_continuous_goog": _kelly_continuous,
}


@pytest.mark.skipif(not os.environ.get("FARM_TRUTH"), reason="FARM_TRUTH is not set")
@pytest.mark.parametrize("case", MEASURES)
def test_bets_agree_with_published_values(case: str) -> None:
    rows = [row for row in results() if row.case.startswith(f"{case}/")]
    assert rows
    assert [row for row in rows if not row.difference <= row.tolerance] == []
