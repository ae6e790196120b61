"""`python -m scripts.judge_page`: docs/judge.md and its figure from both tiers of `farm calibrate`.

What is already in the home is read from there, so the page can be made of runs that were computed before.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl

from farm.calibrate import PipelineResult, Rate, StatisticsResult, calibrate_pipeline, calibrate_statistics
from farm.calibrate.markets import NOTHING as MARKETS
from farm.calibrate.markets import MarketCell, with_edge
from farm.calibrate.returns import NOTHING, SOMETHING
from farm.calibrate.statistics import COMPONENTS, applies
from farm.calibrate.table import number, percent
from farm.config import load_experiment
from scripts.judge_peers import PEERS, RULES, Compared, compare

mpl.use("svg")

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
EDGES = (1.0, 2.0, 3.0, 4.0)
COLOURS = {"verdict": "#0072B2", "spa": "#009E73", "paper": "#E69F00", "psr": "#CC79A7"}
OFFSETS = {"verdict": -0.24, "spa": -0.08, "paper": 0.08, "psr": 0.24}
LIMIT, POWER = 0.075, 0.85

HEAD = """# Is the judge right?

Written by `{command}`,
seeds 0 upwards in every cell; the figure is made with it. Whatever is in the home already
is read from there, so an interrupted command goes on where it stopped. It took {hours} core hours, half of that by the
clock with two workers that have two cores to themselves.

The verdict promises that the chance of any PASS in an experiment in which nothing is there is at most alpha = 5%. Here
that is tried on experiments whose truth is known. Intervals in brackets are 95% (Wilson 1927); bounds with "at most"
and "at least" are exact, one-sided, 95% (Clopper and Pearson 1934).

![Rates of false passes and of finds](judge.svg)

"""

STATISTICS = """## Statistics: simulated returns

{runs} runs a cell, {minutes} core minutes in all. Daily returns of trials of known truth go through the code
that judges experiments. N is the mean effective number of trials. The columns say in what percent of the runs each
statistic found an edge at 5%: the PSR of the best trial with no deflation; the paper's deflated Sharpe ratio with the
variance between trials, with raw N and with effective N; White's reality check and Hansen's SPA on all trials; the PBO
rule alone (whether it lets the study pass); the verdict's own deflation; and the whole verdict. *Insufficient* is the
percentage of runs in which the verdict said that nobody can tell.

"""

PIPELINE = """## The whole way: artificial markets

{minutes} core minutes in all. `experiments/calibrate.yaml` on artificial markets with clusters of volatility and
regimes: bars, features, labels, purged folds, models of milliseconds to tens of them and their stack, costs, verdict.
Two years of 5-minute bars each. Where an edge is planted, and in the first cell, 19 models and their stack compete; in
the other cells 3 models and their stack, since deflation for few trials has the least to spare. Where nothing is there,
trading is free unless the cell says otherwise: costs only make it harder to pass.

*Undeflated* is how often somebody would have passed a test that counts neither trials nor studies, *trading* the share
of candidates that ever bet, *oracle* the net Sharpe ratio of somebody who knew the conditional mean.

*Own* is what the best candidate is worth: the rule that it traded, on a fresh stretch ten times as long. *Expected* is
how often independent normal returns of that Sharpe ratio, over the same sessions and against the same effective number
of trials, pass the same deflation. *Power of it* is the share of experiments with a PASS over that.

"""

PEERS_HEAD = """
## Beside other judges

The matrices of the first {runs} runs of some cells, judged by others as their authors say, each in an environment of
its own: {versions}. What counts as a pass is each one's own rule:

{rules}

Percent of the runs in which something passed.

"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Compute what is missing, and write the page and its figure."""
    parser = argparse.ArgumentParser(prog="python -m scripts.judge_page")
    parser.add_argument("--runs", type=int, default=100, help="simulated experiments a cell of returns")
    parser.add_argument(
        "--null-markets", type=int, default=6, help="markets a cell without an edge, a fifth in dear cells"
    )
    parser.add_argument("--edge-markets", type=int, default=4, help="markets a cell with one")
    parser.add_argument("--peer-runs", type=int, default=0, help="simulated experiments that other judges see, too")
    parser.add_argument("--set", action="append", default=[], metavar="A.B=VALUE", help="a value of the experiment")
    chosen = parser.parse_args(arguments)
    experiment = load_experiment(ROOT / "experiments" / "calibrate.yaml", chosen.set)
    matrices = list(calibrate_statistics((*NOTHING, *SOMETHING), experiment, runs=chosen.runs))
    cells = [*MARKETS, *(with_edge(oracle) for oracle in EDGES)]
    asked = [(cell, _runs_of(cell, chosen.null_markets, chosen.edge_markets)) for cell in cells]
    markets = list(calibrate_pipeline(asked, experiment))
    compared = list(compare(experiment, chosen.peer_runs)) if chosen.peer_runs else []
    command = (
        f"python -m scripts.judge_page --runs {chosen.runs} --null-markets {chosen.null_markets} "
        f"--edge-markets {chosen.edge_markets} --peer-runs {chosen.peer_runs}"
    )
    hours = sum(one.seconds for one in (*matrices, *markets)) / 3600
    page = HEAD.format(command=command, hours=f"{hours:.1f}") + statistics_part(matrices, chosen.runs)
    page += pipeline_part(markets) + peers_part(compared)
    (DOCS / "judge.md").write_text(page, encoding="utf-8")
    figure(matrices, markets)
    sys.stdout.write(f"{DOCS / 'judge.md'}\n")


def _runs_of(cell: MarketCell, null_markets: int, edge_markets: int) -> int:
    """Runs of a cell: a fifth where a market takes several times as long, and where the edge is too small to be found.

    A rate near nothing there is told by the cells that deflate for few trials, which are the quick ones.
    """
    dear = cell.oracle is None and (cell.models is None or cell.markets > 1)
    runs = null_markets if cell.oracle is None else edge_markets
    return max(1, runs // 5) if dear or cell.oracle == EDGES[0] else runs


def statistics_part(results: Sequence[StatisticsResult], runs: int) -> str:
    """The tables of simulated returns: nothing there, and something there."""
    nothing, something = _parted(results)
    pooled = _pooled([one.rates["verdict"] for one in nothing])
    worst = max(nothing, key=lambda one: one.rates["verdict"].value)
    return (
        STATISTICS.format(runs=f"{runs:,}", minutes=_minutes(results))
        + "### Nothing is there: false passes\n\n"
        + _statistics_table(nothing)
        + f"\nOver all cells the verdict passed in {percent(pooled)}% of {pooled.runs:,} runs; most often in "
        + f"“{worst.cell.name}”: {percent(worst.rates['verdict'])}%.\n\n"
        + "### Something is there: power\n\nOnly finding a trial with a true edge counts, except for reality check and "
        + "SPA, which speak of all trials together. *Wrong* is how often a trial without an edge passed beside it.\n\n"
        + _statistics_table(something)
        + "\n"
    )


def _statistics_table(results: Sequence[StatisticsResult]) -> str:
    heading = ["cell", "N", *COMPONENTS.values(), "wrong", "insufficient"]
    lines = [f"| {' | '.join(heading)} |\n|---|{'---:|' * (len(heading) - 1)}\n"]
    for one in results:
        shares = [
            f"{100 * one.rates[name].value:.1f}" if applies(name, one.cell) else "—"
            for name in COMPONENTS
            if name != "verdict"
        ]
        cells = [one.cell.name, f"{one.effective_trials:.1f}", *shares, percent(one.rates["verdict"])]
        lines.append(f"| {' | '.join([*cells, percent(one.wrong), f'{100 * one.insufficient.value:.0f}'])} |\n")
    return "".join(lines)


def pipeline_part(results: Sequence[PipelineResult]) -> str:
    """The table of artificial markets, and whether the two promises hold on it."""
    heading = (
        "market", "runs", "passed, %", "undeflated, %", "trading, %", "N", "oracle", "best as judged", "own",
        "expected, %", "power of it",
    )  # fmt: skip
    lines = [PIPELINE.format(minutes=_minutes(results)), f"| {' | '.join(heading)} |\n|---|{'---:|' * 10}\n"]
    for one in results:
        share = one.passed.value / one.chance if one.chance else None
        expected = "—" if one.chance is None else f"{100 * one.chance:.1f}"
        means = [number(one.oracle), number(one.best_sharpe), number(one.own_sharpe), expected, number(share)]
        first = [one.cell.name, str(one.passed.runs), percent(one.passed), f"{100 * one.undeflated.value:.1f}"]
        first += [f"{100 * one.trading:.0f}", number(one.effective_trials, 1)]
        lines.append(f"| {' | '.join([*first, *means])} |\n")
    nothing = [one for one in results if one.cell.oracle is None]
    pooled = _pooled([one.passed for one in nothing])
    highest = max(nothing, key=lambda one: one.passed.at_least)
    powers = {one.cell.name: one.passed.value / one.chance for one in results if one.chance and one.cell.oracle != 1}
    lines.append(
        f"\nOver the cells with nothing there, {pooled.count} of {pooled.runs:,} experiments had a PASS: at most "
        f"{100 * pooled.at_most:.1f}% (asked for: {100 * LIMIT:g}%). The cell with the highest bound below is "
        f"“{highest.cell.name}”, at least {100 * highest.passed.at_least:.1f}% (asked for: not above 5%). "
        f"{_verdict(pooled, highest.passed)}\n"
    )
    if powers:
        least = min(powers, key=powers.__getitem__)
        lines.append(
            f"\nThe least power relative to what is to be expected: {powers[least]:.2f}, “{least}” (asked for: "
            f"{POWER} at oracle Sharpe 2, 3 and 4).\n"
        )
    return "".join(lines)


def peers_part(compared: Sequence[Compared]) -> str:
    """The table of other judges on the same matrices; nothing where none was asked."""
    if not compared:
        return ""
    runs = compared[0].rates["Farm, verdict"].runs
    versions = ", ".join(f"{peer} {version}" for peer, version in PEERS.items())
    rules = "\n".join(f"- *{judge}*: {rule}." for judge, rule in RULES.items())
    lines = [PEERS_HEAD.format(runs=runs, versions=versions, rules=rules)]
    for title, edged in (("nothing is there: false passes", False), ("something is there: power", True)):
        lines.append(f"| {title} | {' | '.join(RULES)} |\n|---|{'---:|' * len(RULES)}\n")
        for one in compared:
            if (one.cell.edged > 0) == edged:
                shares = [percent(one.rates[judge]) if judge in one.rates else "—" for judge in RULES]
                lines.append(f"| {one.cell.name} | {' | '.join(shares)} |\n")
        lines.append("\n")
    return "".join(lines).rstrip("\n") + "\n"


def _verdict(pooled: Rate, highest: Rate) -> str:
    if highest.at_least > 0.05 or pooled.value > LIMIT:
        return "This does NOT hold."
    return "Both hold." if pooled.at_most <= LIMIT else "So few runs do not show the first."


def figure(matrices: Sequence[StatisticsResult], markets: Sequence[PipelineResult]) -> None:
    """False passes, power, and whole experiments: a row a cell, a point and its interval a statistic."""
    from matplotlib import pyplot as plt

    plt.rcParams.update({"svg.hashsalt": "farm", "font.size": 8, "svg.fonttype": "path"})
    nothing, something = _parted(matrices)
    heights = [len(nothing), len(something), len(markets)]
    picture, panels = plt.subplots(3, 1, figsize=(8, 0.24 * sum(heights) + 2), height_ratios=heights)
    for panel, results in zip(panels[:2], (nothing, something), strict=True):
        for name, colour in COLOURS.items():
            shown = {row: one.rates[name] for row, one in enumerate(results) if applies(name, one.cell)}
            _points(panel, shown, OFFSETS[name], colour, COMPONENTS[name])
        _rows(panel, [one.cell.name for one in results])
    _points(panels[2], {row: one.passed for row, one in enumerate(markets)}, 0.0, COLOURS["verdict"], "verdict")
    for row, one in enumerate(markets):
        if one.chance is not None:
            panels[2].plot(100 * one.chance, row, "|", ms=9, color="0.3")
    _rows(panels[2], [one.cell.name for one in markets])
    titles = ("Nothing is there", "Something is there", "Whole experiments (bar: expected of independent returns)")
    for panel, title in zip(panels, titles, strict=True):
        panel.set_title(title, fontsize=9, loc="left")
        panel.axvline(5, color="0.5", lw=0.8, ls="--")
    picture.legend(*panels[0].get_legend_handles_labels(), loc="upper center", ncols=len(COLOURS), frameon=False)
    panels[2].set_xlabel("percent of runs")
    picture.tight_layout(rect=(0, 0, 1, 0.98))
    picture.savefig(DOCS / "judge.svg", metadata={"Date": None})


def _points(panel: "mpl.axes.Axes", rates: Mapping[int, Rate], offset: float, colour: str, label: str) -> None:
    """Rates by row, each with its interval."""
    below = [max(100 * (rate.value - rate.low), 0.0) for rate in rates.values()]
    above = [max(100 * (rate.high - rate.value), 0.0) for rate in rates.values()]
    at, rows = [100 * rate.value for rate in rates.values()], [row + offset for row in rates]
    panel.errorbar(at, rows, xerr=[below, above], fmt="o", ms=2.5, lw=0.8, capsize=1.2, color=colour, label=label)


def _rows(panel: "mpl.axes.Axes", names: Sequence[str]) -> None:
    panel.set_yticks(range(len(names)), names)
    panel.set_ylim(len(names) - 0.4, -0.6)
    panel.set_xlim(-2, 102)
    panel.spines[["top", "right"]].set_visible(False)


def _parted(results: Sequence[StatisticsResult]) -> tuple[list[StatisticsResult], list[StatisticsResult]]:
    nothing = [one for one in results if not one.cell.edged]
    return nothing, [one for one in results if one.cell.edged]


def _pooled(rates: Sequence[Rate]) -> Rate:
    return Rate.counted(sum(rate.count for rate in rates), sum(rate.runs for rate in rates))


def _minutes(results: Sequence[StatisticsResult] | Sequence[PipelineResult]) -> str:
    return f"{sum(one.seconds for one in results) / 60:.0f}"


if __name__ == "__main__":
    main()
