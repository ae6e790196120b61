"""What is odd about bars that are in order: facts that no rule forbids and a researcher should know."""

import numpy as np

from farm.bars.frame import Bars
from farm.bars.load import Loaded
from farm.bars.rows import BadRow
from farm.bars.timeframe import HOUR

_RARE = 0.01
_MANY_FLAT = 0.05
_UNIT = 50.0  # from one month to the next markets trade a few times as much, not fifty times
_ENOUGH_SESSIONS = 5


def quirks(loaded: Loaded) -> tuple[str, ...]:
    """What is odd about the bars of one symbol, each in a few words; nothing where nothing is."""
    bars, report = loaded.bars, loaded.report
    real = ~bars.filled
    silent, flat = float(np.mean(bars.volume[real] == 0)), float(np.mean((bars.high == bars.low)[real]))
    found = [
        (silent == 1, "no volume"),
        (_RARE < silent < 1, f"no volume in {silent:.0%} of the bars"),
        (flat > _MANY_FLAT, f"{flat:.0%} of the bars are flat"),
        (report.outside_session > 0, f"{_counted(report.outside_session, 'bar')} outside the sessions"),
        (report.filled > 0, f"{report.filled:,} filled bars beside them"),
        (report.adjusted > 0, f"{report.adjusted:,} bars before a declared split adjusted"),
        (bool(report.jumps), f"{len(report.jumps)} jumps accepted"),
        (bool(report.quarantined), _bad_rows(report.quarantined)),
        (bool(report.rolls), f"{len(report.rolls)} rolls, {report.not_held:,} bars of contracts not held"),
    ]
    return (*(text for holds, text in found if holds), *_changes_of_unit(bars))


def gaps(loaded: Loaded) -> str:
    """The times without bars: those that the calendar expects, and those that it does not."""
    report = loaded.report
    holes = sum(hole.trading_time for hole in report.holes)
    return (
        f"{_counted(report.closures, 'closure')} that the calendar expects, "
        f"{_counted(report.short_gaps, 'short gap')}{_open_market(report.missing_time - holes)}, "
        f"{_counted(len(report.holes), 'hole')} in the data{_open_market(holes)}"
    )


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _open_market(time: int) -> str:
    return f" ({time / HOUR:,.1f} h of open market)" if time else ""


def _bad_rows(bad: tuple[BadRow, ...]) -> str:
    return "".join(f"{_counted(len(bad), 'bad row')}, first row {first.row}: {first.rule}" for first in bad[:1])


def _changes_of_unit(bars: Bars) -> tuple[str, ...]:
    """The months in which the median volume becomes another one by a factor that no market makes."""
    traded = bars.volume > 0
    month = bars.session[traded].astype("datetime64[D]").astype("datetime64[M]")
    if not len(month):
        return ()
    volume, session = bars.volume[traded], bars.session[traded]
    first = np.flatnonzero(np.concatenate(([True], month[1:] != month[:-1])))
    spans = list(zip(first, [*first[1:], len(month)], strict=True))
    whole = [(start, stop) for start, stop in spans if len(np.unique(session[start:stop])) >= _ENOUGH_SESSIONS]
    medians = [float(np.median(volume[start:stop])) for start, stop in whole]
    changes = [
        (str(month[whole[at][0]]), medians[at] / medians[at - 1])
        for at in range(1, len(whole))
        if not 1 / _UNIT < medians[at] / medians[at - 1] < _UNIT
    ]
    return tuple(
        f"volume becomes {ratio if ratio > 1 else 1 / ratio:,.0f} times {'larger' if ratio > 1 else 'smaller'} in "
        f"{when}, as if "
        "its unit changed"
        for when, ratio in changes
    )
