"""Bar lengths: text such as ``5min`` or ``1h``, and nanoseconds."""

import re
from typing import Annotated

from pydantic import AfterValidator

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

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


def _checked(timeframe: str) -> str:
    nanoseconds(timeframe)
    return timeframe


Timeframe = Annotated[str, AfterValidator(_checked)]
