"""Ten configurations of one split that share their binned data, beside a naive loop that bins anew for each.

    python -m benchmarks.search [--rows 300000] [--features 60] [--rounds 30] [--configurations 10] [--repeats 3]

Both do the same fits of LightGBM and predict the same rows; the probabilities are compared bit by bit first. The two
take turns, and the median of their ratios is what counts.
"""

import argparse
import statistics
import time
from typing import Any

import numpy as np

from farm.models import Model, builtin
from farm.models.sharing import sharing

THREADS, SEED = 1, 7


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, value in (("rows", 300_000), ("features", 60), ("rounds", 30), ("configurations", 10), ("repeats", 3)):
        arguments.add_argument(f"--{name}", type=int, default=value)
    given = arguments.parse_args()
    draw = np.random.default_rng(SEED)
    values = draw.standard_normal((given.rows, given.features))
    signal = values[:, 0] + 0.5 * values[:, 1] + draw.standard_normal(given.rows)
    labels = np.digitize(signal, [-0.6, 0.6]) - 1
    weight = draw.uniform(0.1, 1, given.rows)
    models = [_configuration(number, given.rounds) for number in range(given.configurations)]

    def fitted() -> list[Any]:
        return [
            model.build(SEED, THREADS, builtin()).fit(values, labels, sample_weight=weight).predict_proba(values[:1000])
            for model in models
        ]

    ratios = []
    for turn in range(given.repeats):
        alone, naive = _timed(fitted)
        with sharing():
            together, shared = _timed(fitted)
        if not all(np.array_equal(one, other) for one, other in zip(alone, together, strict=True)):
            raise SystemExit("sharing changed a prediction")
        ratios.append(naive / shared)
        print(f"turn {turn + 1}: naive loop {naive:.1f} s CPU, shared {shared:.1f} s CPU, {ratios[-1]:.2f} times")
    print(f"bit-identical; median {statistics.median(ratios):.2f} times the naive loop (wanted: 1.20)")


def _configuration(number: int, rounds: int) -> Model:
    draw = np.random.default_rng(number)
    params = {
        "n_estimators": rounds,
        "learning_rate": float(draw.uniform(0.02, 0.2)),
        "max_depth": int(draw.integers(3, 7)),
        "num_leaves": int(draw.integers(4, 9)),
        "min_child_samples": int(draw.integers(10, 500)),
        "colsample_bytree": float(draw.uniform(0.4, 1.0)),
    }
    return Model(uses="lightgbm", params=params)


def _timed(work: Any) -> tuple[Any, float]:
    before = time.process_time()
    done = work()
    return done, time.process_time() - before


if __name__ == "__main__":
    main()
