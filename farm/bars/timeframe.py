"""Bar lengths: text such as ``5min`` or ``1h``, and nanoseconds."""

import re
from typing import Annotated

from pydantic import AfterValidator

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

MONTH = "1mo"
"""Bars of calendar months, which have no length in seconds."""
ACTIVITY = "activity"
"""Bars that a vendor closed by what was traded, at any time of the day."""

_UNITS = {"s": SECOND, "min": MINUTE, "h": HOUR, "d": DAY}
_PATTERN = re.compile(r"([1-9][0-9]*)(s|min|h|d)")


def nanoseconds(timeframe: str) -> int:
    """Length of a timeframe in nanoseconds.

    >>> nanoseconds("5min") // MINUTE
    5
    """
    match = _PATTERN.fullmatch(timeframe)
    if match is None:
        raise ValueError(
            f"timeframe {timeframe!r} is not a length; write a number and s, min, h or d, such as 5min or 1h"
        )
    return int(match[1]) * _UNITS[match[2]]


def has_length(timeframe: str) -> bool:
    """Whether bars of a timeframe all have the same length on the clock.

    >>> has_length("1h"), has_length("1mo"), has_length("activity")
    (True, False, False)
    """
    return timeframe not in (MONTH, ACTIVITY)


def _checked(timeframe: str) -> str:
    nanoseconds(timeframe)
    return timeframe


def _checked_of_a_file(timeframe: str) -> str:
    if has_length(timeframe) and _PATTERN.fullmatch(timeframe) is None:
        raise ValueError(
            f"timeframe {timeframe!r} is not a length; write a number and s, min, h or d, such as 5min or 1h, or "
            f"{MONTH} for months, or {ACTIVITY} for bars that were closed by what was traded"
        )
    return timeframe


Timeframe = Annotated[str, AfterValidator(_checked)]
FileTimeframe = Annotated[str, AfterValidator(_checked_of_a_file)]
