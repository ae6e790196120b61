"""The page of two runs side by side."""

from pathlib import Path

from farm.report.compare import Comparison, measures, written
from farm.report.frame import rendered, write_whole
from farm.report.wording import counted, listed


def write_comparison(comparison: Comparison, path: Path) -> Path:
    """Write the comparison as one self-contained page; its path."""
    bounds = [
        abs(bound)
        for one in comparison.trials
        if one.difference.sharpe is not None
        for bound in (one.difference.sharpe.low, one.difference.sharpe.high)
    ]
    html = rendered(
        "compare.html.j2",
        a=comparison.a,
        b=comparison.b,
        statement=statement(comparison),
        trials=comparison.trials,
        measures=measures,
        written=written,
        reach=max(bounds, default=0.0) or 1.0,
        parameters=comparison.parameters,
        data=comparison.data,
        environment=comparison.environment,
        only_a=[f"{trial} on {symbol}" for symbol, trial in comparison.only_a],
        only_b=[f"{trial} on {symbol}" for symbol, trial in comparison.only_b],
    )
    return write_whole(path, html)


def statement(comparison: Comparison) -> str:
    """What the comparison amounts to, in one sentence."""
    trials = comparison.trials
    turned = [f"{one.trial} on {one.symbol}" for one in trials if one.verdicts[0] != one.verdicts[1]]
    apart = [one.difference.sharpe for one in trials if one.difference.sharpe and one.difference.sharpe.apart]
    better = sum(found.value > 0 for found in apart)
    verdicts = f"the verdict changed for {listed(turned, 4)}" if turned else "no verdict changed"
    if not apart:
        return f"Of {counted(len(trials), 'shared candidate')} none differs beyond luck; {verdicts}."
    return (
        f"Of {counted(len(trials), 'shared candidate')} {better} did better in B beyond luck and "
        f"{len(apart) - better} worse; {verdicts}."
    )
