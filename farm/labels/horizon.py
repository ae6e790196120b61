"""How long an event is watched: a number of bars, or a time that means the same on every timeframe."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated

from pydantic import AfterValidator, Field

from farm.bars.timeframe import nanoseconds
from farm.errors import BadInput
from farm.section import nearest

PRESETS: Mapping[str, str] = MappingProxyType({f"H{n}": f"{5 * n}min" for n in (1, 5, 10, 15, 20, 30, 60, 120)})
"""Named horizons and the time they stand for: H20 is twenty bars of five minutes, whatever the bars' timeframe."""


def _resolved(value: int | str) -> int | str:
    if isinstance(value, int):
        return value
    if value in PRESETS:
        return PRESETS[value]
    try:
        nanoseconds(value)
    except ValueError:
        raise ValueError(
            f"{value!r} is no horizon; write a number of bars, a time such as 100min or 4h, or a preset "
            f"({nearest(value, PRESETS)})"
        ) from None
    return value


Horizon = Annotated[
    Annotated[int, Field(strict=True, ge=1)] | str,
    AfterValidator(_resolved),
    Field(description="Bars (20), a time (100min) or a preset (H20 is 100min)."),
]


def bars_in(horizon: int | str, timeframe: str) -> int:
    """Whole bars of a timeframe that fit into a horizon; a horizon in bars is itself.

    A time is trading time: hours in which the market is closed do not count, since they have no bars.

    Raises
    ------
    BadInput
        The horizon is shorter than one bar, or a time while the bars have no fixed length.

    >>> [bars_in("100min", timeframe) for timeframe in ("1min", "5min", "15min")]
    [100, 20, 6]
    """
    if isinstance(horizon, int):
        return horizon
    try:
        length = nanoseconds(timeframe)
    except ValueError:
        raise BadInput(
            f"labels.horizon is {horizon}, but bars of {timeframe!r} have no fixed length in time; give it in bars, "
            "such as horizon: 20"
        ) from None
    count = nanoseconds(horizon) // length
    if count < 1:
        raise BadInput(
            f"labels.horizon is {horizon}, shorter than one bar of {timeframe}; give at least {timeframe}, or shorter "
            "bars in decisions.timeframe"
        )
    return count
