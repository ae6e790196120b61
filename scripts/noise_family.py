"""`python -m scripts.noise_family`: how often anything passes among fifty markets without an edge, run forty times.

The error unit is the experiment: one PASS on any of its symbols counts. Each run is a whole experiment from bars to the
verdict, as `experiments/calibrate.yaml` has it, with a model of milliseconds and about a thousand events a
market. Trading is free, for costs alone would keep noise from passing. Finished runs are kept in the home.
"""

import argparse
import sys
import time
from pathlib import Path

from farm.calibrate.grid import calibrate_pipeline
from farm.calibrate.markets import MarketCell
from farm.config import load_experiment

EXPERIMENT = Path(__file__).parents[1] / "experiments" / "calibrate.yaml"
FREE = {"costs": {"commission": {"kind": "bps", "value": 0}, "slippage": {"kind": "bps", "value": 0}}}
A_THOUSAND_EVENTS = "decisions.events.threshold=12"
MOST = 0.1  # of the runs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--markets", type=int, default=50)
    parser.add_argument("--set", action="append", default=[], metavar="A.B=VALUE", help="a value of the experiment")
    chosen = parser.parse_args()
    experiment = load_experiment(EXPERIMENT, [A_THOUSAND_EVENTS, *chosen.set])
    cell = MarketCell(
        name=f"nothing: {chosen.markets} markets at once, one model", markets=chosen.markets, models=1, account=FREE
    )
    began = time.monotonic()
    (found,) = calibrate_pipeline([(cell, chosen.runs)], experiment)
    print(
        f"{found.passed.count} of {chosen.runs} runs with a PASS on any of {chosen.markets} markets "
        f"({found.insufficient.count} with too little evidence); {found.trading:.0%} of the candidates traded, "
        f"{found.undeflated.count} runs would have passed uncorrected; {(time.monotonic() - began) / 60:.0f} minutes, "
        f"{found.seconds / 60:.0f} of one core"
    )
    if found.passed.count > MOST * chosen.runs:
        sys.exit("noise passes too often")


if __name__ == "__main__":
    main()
