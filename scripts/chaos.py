"""`make chaos`: a small experiment, broken at random moments on a two-node cluster, ends as if nothing had happened.

Each round runs the experiment in a home of its own while a worker that is at work is killed every 20 seconds, the
second node once (another one joins a little later) and the driver twice, each time started again by the same command.
The round passes when the results are byte-equal to those of an unbroken run, the trials are the same, the ledger
verifies, and no fit that had been stored was computed again. Finished rounds are kept and not run again.

`make chaos-search` does the same to every fourth market of `experiments/sweep.yaml`, with a worker killed every 30
seconds: once with its own sampler, once with one that adapts.
"""

import argparse
import fnmatch
import json
import re
import shutil
import signal
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from cluster.local import LocalCluster
from farm.run.source import source_digest
from scripts.disturbed import ROOT, Driver, Pace, Round, disturbed, found

PAGE = ROOT / "docs" / "faults.md"
ABOUT = (
    "Written by `make chaos`: a small experiment on a two-node cluster of one machine, with a worker killed every 20 "
    "seconds, a node once and the driver twice, at moments drawn from the seed. Every round is compared with an "
    "unbroken run.\n\n"
)
ABOUT_SEARCH = (
    "Written by `make chaos-search`: every fourth market of `experiments/sweep.yaml`, 20 configurations each, on the "
    "same two nodes, with a worker killed every 30 seconds, a node once and the driver twice. The first row is "
    "`quasi_random`, the second `tpe` in batches of 5; each is compared with its own unbroken run.\n\n"
)
SWEEP = ROOT / "experiments" / "sweep.yaml"
SAMPLERS: dict[str, dict[str, Any]] = {"quasi_random": {"kind": "quasi_random"}, "tpe": {"kind": "tpe", "batch": 5}}

EXPERIMENT = """
name: chaos
seed: 3
bars:
  source: synthetic
  years: 0.5
  markets: {SYN-A: {edge: 0.2}, SYN-B: {}}
decisions: {timeframe: 5min, events: {kind: cusum, threshold: 3}, limit: 20000}
features: {preset: core, timeframes: [1h], keep: 30}
labels: {kind: triple_barrier, up: 2.0, down: 2.0, max_bars: 24}
folds: {kind: cpcv, groups: 8, test_groups: 2, embargo: 1 session, lockbox: 0.1}
models:
  boosted1: {uses: lightgbm, params: {num_leaves: 7, n_estimators: 100}}
  boosted2: {uses: lightgbm, params: {num_leaves: 11, n_estimators: 100}}
  boosted3: {uses: lightgbm, params: {num_leaves: 15, n_estimators: 100}}
  boosted4: {uses: lightgbm, params: {num_leaves: 19, n_estimators: 100}}
  linear: {uses: logistic}
stack: null
backtest: {costs: instrument, capital: 100000}
track: null
"""


USUAL = Pace()
UNDER_A_SEARCH = Pace(worker_every=30.0, node_between=(20.0, 60.0), driver_between=(20.0, 45.0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=20)
    # Rounds are kept by what they tried: another state of the code begins anew.
    own = Path(tempfile.gettempdir()) / f"farm-chaos-{source_digest('.')[:8]}"
    parser.add_argument("--folder", type=Path, default=own)
    parser.add_argument("--page", action="store_true", help="write the table into docs/faults.md")
    parser.add_argument("--search", action="store_true", help="a quarter of the sweep, with each sampler")
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that the cluster is taken down on the way out
    if chosen.search:
        rounds = [
            round_
            for name, sampler in SAMPLERS.items()
            for round_ in play(1, chosen.folder / name, quarter_of_the_sweep(sampler), UNDER_A_SEARCH)
        ]
        heading, about = "Chaos under a search", ABOUT_SEARCH
    else:
        rounds = play(chosen.rounds, chosen.folder)
        heading, about = "Chaos", ABOUT
    if chosen.page:
        write_section(heading, about + as_markdown(rounds))
    print(as_markdown(rounds))
    if not all(one.passed for one in rounds):
        sys.exit("a round broke a law: its home and log are kept in " + str(chosen.folder))


def quarter_of_the_sweep(sampler: dict[str, Any]) -> str:
    """Every fourth market of the sweep, searched by a sampler, as an experiment file."""
    sweep = yaml.safe_load(SWEEP.read_text())
    symbols = sweep["bars"]["symbols"][::4]
    each = {
        pattern: part
        for pattern, part in sweep["each"].items()
        if any(fnmatch.fnmatchcase(symbol, pattern) for symbol in symbols)
    }
    instruments = {name: one for name, one in sweep["bars"]["instruments"].items() if name in symbols}
    bars = {**sweep["bars"], "symbols": symbols, "instruments": instruments}
    search = {**sweep["search"], "sampler": sampler}
    return yaml.safe_dump(
        {**sweep, "name": "chaos", "bars": bars, "search": search, "each": each, "track": None}, sort_keys=False
    )


def play(n_rounds: int, folder: Path, experiment: str = EXPERIMENT, pace: Pace = USUAL) -> list[Round]:
    """The rounds of seeds 0, 1, …; those that an earlier call finished in the folder are read back."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "chaos.yaml"
    file.write_text(experiment)
    with LocalCluster() as cluster:
        whole = folder / "whole"
        expected = unbroken(cluster, file, whole)
        return [played(cluster, file, folder, seed, expected, pace) for seed in range(n_rounds)]


def unbroken(cluster: LocalCluster, file: Path, home: Path) -> dict[str, Any]:
    """What an undisturbed run finds."""
    if not (home / "runs" / "chaos" / "latest" / "report.html").exists():
        driver = Driver(cluster, file, home)
        if driver.process.wait():
            raise RuntimeError(f"the undisturbed run failed: {driver.log.read_text()}")
    return found(home)


def played(cluster: LocalCluster, file: Path, folder: Path, seed: int, expected: dict[str, Any], pace: Pace) -> Round:
    """One round, read back if it was finished before."""
    kept = folder / f"round-{seed}.json"
    if kept.exists():
        return Round(**json.loads(kept.read_text()))
    home = folder / f"home-{seed}"
    shutil.rmtree(home, ignore_errors=True)
    one = disturbed(cluster, file, home, seed, expected, pace)
    print(json.dumps(asdict(one)), flush=True)
    if one.passed:
        kept.write_text(json.dumps(asdict(one)))
        shutil.rmtree(home)
    return one


def as_markdown(rounds: list[Round]) -> str:
    lines = [
        f"{sum(one.passed for one in rounds)} of {len(rounds)} rounds passed, in "
        f"{sum(one.seconds for one in rounds) / 60:.0f} minutes.",
        "",
        "| seed | seconds | workers killed | nodes | drivers | attempts lost | byte-equal | trials exact "
        "| ledger sound | computed twice |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | --- | --- | --- | ---: |",
    ]
    for one in rounds:
        yes = ["yes" if held else "NO" for held in (one.equal, one.trials_exact, one.ledger_sound)]
        lines.append(
            f"| {one.seed} | {one.seconds:.0f} | {one.workers_killed} | {one.nodes_killed} | {one.drivers_killed} "
            f"| {one.attempts_lost} | {' | '.join(yes)} | {one.computed_twice} |"
        )
    return "\n".join(lines) + "\n"


def write_section(heading: str, text: str) -> None:
    """Put a section in the place of the one with its heading, or at the page's end."""
    section = f"## {heading}\n\n{text}"
    page, found = re.subn(rf"## {heading}\n.*?(?=\n## |\Z)", lambda _: section, PAGE.read_text(), flags=re.DOTALL)
    PAGE.write_text(page if found else f"{page}\n{section}")


if __name__ == "__main__":
    main()
