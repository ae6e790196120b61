"""Two series of one instrument beside one another: a clock that is off shows as a lag between their returns."""

from dataclasses import dataclass

import numpy as np

from farm.bars.frame import Bars, Float, Int
from farm.bars.timeframe import DAY, HOUR, MINUTE, nanoseconds
from farm.errors import BadInput

_WEEK = 7 * DAY
_FIRST_SUNDAY = 3 * DAY  # 1970-01-04: markets that rest on weekends change their clocks then
_LONGEST_LAG = 12 * HOUR
_FEWEST = 20
_DEVIATIONS = 4.0
_TOGETHER = 0.5


@dataclass(frozen=True)
class Shift:
    """A run of weeks, from ``start`` to ``end`` in ns UTC, in which one series is ``lag`` ns later than the other."""

    start: int
    end: int
    lag: int


@dataclass(frozen=True)
class Comparison:
    """How two series agree: over ``n`` returns in common, their correlation, and the median ratio of their prices.

    The correlation is that of each week's best lag; ``shifts`` lists the weeks in which that is not 0.
    """

    n: int
    correlation: float
    ratio: float
    shifts: tuple[Shift, ...]


def compare(bars: Bars, other: Bars) -> Comparison:
    """How ``bars`` agree with other bars of the same instrument, and where their clocks do not.

    The returns between closes of the longer bars are correlated with those of the shorter series over the same spans,
    and over spans up to 12 hours earlier and later. A week's lag is not 0 where another lag correlates better by 4
    standard errors of Fisher's z. A lag above 0 says that ``bars`` carry later times for the same trades.

    >>> hour, rng = 3_600_000_000_000, np.random.default_rng(1)
    >>> at, zero = np.arange(2000) * hour, np.zeros(2000, dtype=np.int64)
    >>> price = 100 * np.exp(rng.normal(0, 0.01, 2000).cumsum())
    >>> bars = Bars("A", "1h", at, at + hour, *[price] * 5, zero, zero)
    >>> late = Bars("B", "1h", at + hour, at + 2 * hour, *[price] * 5, zero, zero)
    >>> [shift.lag // hour for shift in compare(late, bars).shifts], compare(bars, bars).shifts
    ([1], ())

    Raises `BadInput` where the two have fewer than 20 returns in common.
    """
    coarse, fine = (bars, other) if nanoseconds(bars.timeframe) >= nanoseconds(other.timeframe) else (other, bars)
    length = nanoseconds(coarse.timeframe)
    step = max(nanoseconds(fine.timeframe), 30 * MINUTE)
    lags = np.arange(-_LONGEST_LAG // step * step, _LONGEST_LAG + 1, step)
    lags = lags[np.argsort(np.abs(lags), kind="stable")]  # lag 0 first
    even = np.flatnonzero(coarse.available_at[1:] - coarse.available_at[:-1] == length)
    moves = np.log(coarse.close[even + 1] / coarse.close[even])
    end = coarse.available_at[even + 1]
    beside = np.stack([_moves(fine, end - lag if coarse is bars else end + lag, length) for lag in lags])
    common = np.isfinite(beside[0])
    if common.sum() < _FEWEST:
        raise BadInput(
            f"{bars.symbol} and {other.symbol} have {int(common.sum())} returns in common, at least {_FEWEST} are "
            "needed to compare them; compare with bars of the same months"
        )
    week = (end - _FIRST_SUNDAY) // _WEEK
    best: list[tuple[int, int, float, int]] = []
    for number in np.unique(week[common]):
        mine = week == number
        lag, correlation, n = _best_lag(moves[mine], beside[:, mine], lags)
        if n >= _FEWEST:
            best.append((int(number), lag, correlation, n))
    prices = _price_at(fine, coarse.available_at, length)
    ratio = coarse.close / prices if coarse is bars else prices / coarse.close
    counts = np.array([n for *_, n in best])
    correlation = float(np.average([each[2] for each in best], weights=counts)) if best else float("nan")
    return Comparison(int(common.sum()), correlation, float(np.nanmedian(ratio)), _runs(best))


def stop_where_they_disagree(file: str, found: Comparison, other: str) -> None:
    """Raise `BadInput` where two series are of different clocks, or do not move as one instrument does."""
    if not found.correlation >= _TOGETHER:
        raise BadInput(
            f"{file}: its returns correlate with those of {other} by {found.correlation:.2f} at best, over {found.n:,} "
            "of them; one instrument's do by 0.9, so these are not the same, or one of the files is not what it says"
        )
    if not found.shifts:
        return
    first = found.shifts[0]
    more = f", and in {len(found.shifts) - 1} more spans" if len(found.shifts) > 1 else ""
    raise BadInput(
        f"{file}: its times are {_length(first.lag)} than those of {other} from {_day(first.start)} to "
        f"{_day(first.end)}{more}: the returns agree best at that lag. One of the two clocks is declared wrongly or "
        "ignores summer time; a third series tells which. See `zone` and `stamp`"
    )


def _price_at(bars: Bars, time: Int, stale: int) -> Float:
    """The last close at each time, NaN where it is older than ``stale`` ns."""
    at = np.searchsorted(bars.available_at, time, side="right") - 1
    known = at >= 0
    at = np.maximum(at, 0)
    known &= time - bars.available_at[at] < stale
    return np.where(known, bars.close[at], np.nan)


def _moves(bars: Bars, end: Int, length: int) -> Float:
    return np.log(_price_at(bars, end, length) / _price_at(bars, end - length, length))


def _best_lag(moves: Float, beside: Float, lags: Int) -> tuple[int, float, int]:
    """The lag of one week (0 unless another is clearly better), the correlation there, and the returns at lag 0."""
    correlations = np.zeros(len(lags))
    for number, other in enumerate(beside):
        both = np.isfinite(other)
        if both.sum() >= _FEWEST and moves[both].std() > 0 and other[both].std() > 0:
            correlations[number] = np.corrcoef(moves[both], other[both])[0, 1]
    n = int(np.isfinite(beside[0]).sum())
    best = int(correlations.argmax())
    z = np.arctanh(np.clip(correlations, -0.9999, 0.9999))
    if z[best] - z[0] <= _DEVIATIONS / np.sqrt(max(n - 3, 1)):
        best = 0
    return int(lags[best]), float(correlations[best]), n


def _runs(best: list[tuple[int, int, float, int]]) -> tuple[Shift, ...]:
    """Weeks that follow one another with the same lag, as one shift each."""
    runs: list[Shift] = []
    for number, lag, *_ in best:
        start = number * _WEEK + _FIRST_SUNDAY
        if lag and runs and runs[-1].lag == lag and runs[-1].end == start:
            runs[-1] = Shift(runs[-1].start, start + _WEEK, lag)
        elif lag:
            runs.append(Shift(start, start + _WEEK, lag))
    return tuple(runs)


def _length(lag: int) -> str:
    return f"{abs(lag) / HOUR:g} h {'later' if lag > 0 else 'earlier'}"


def _day(time: int) -> str:
    return str(np.datetime64(time, "ns").astype("datetime64[D]"))
