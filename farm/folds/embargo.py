"""Embargo: how long after a held-out block nothing is trained on, in bars, sessions or a fraction of the bars."""

import math
import re
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from farm.bars.frame import Int

_TEXT = re.compile(r"([0-9]+) *(bar|session)s?")


@dataclass(frozen=True)
class Embargo:
    """A length of trading time: ``amount`` bars or sessions, or a fraction of all bars in (0, 1).

    Examples
    --------
    >>> parse_embargo("2 sessions")
    Embargo(amount=2, unit='session')
    >>> print(parse_embargo(0.01))
    0.01
    """

    amount: float
    unit: Literal["bar", "session", "fraction"]

    def __str__(self) -> str:
        if self.unit == "fraction":
            return str(self.amount)
        return f"{int(self.amount)} {self.unit}{'' if self.amount == 1 else 's'}"


def parse_embargo(given: object) -> Embargo:
    """The embargo that a person wrote: ``1 session``, ``30 bars``, a fraction of the bars such as ``0.01``, or 0.

    Raises
    ------
    ValueError
        When it is none of these. A bare whole number is refused: nobody can tell bars from sessions.
    """
    if isinstance(given, Embargo):
        return given
    if isinstance(given, str) and (match := _TEXT.fullmatch(given.strip())):
        return Embargo(int(match[1]), "bar" if match[2] == "bar" else "session")
    try:
        number = float(given) if isinstance(given, int | float | str) and not isinstance(given, bool) else math.nan
    except ValueError:
        number = math.nan
    if number == 0:
        return Embargo(0, "bar")
    if 0 < number < 1:
        return Embargo(number, "fraction")
    if number >= 1 and number.is_integer():
        raise ValueError(f"embargo {given!r} has no unit; write '{number:g} bars' or '{number:g} sessions'")
    raise ValueError(
        f"embargo {given!r} is not a length of trading time; write '1 session', '30 bars', a fraction of the bars "
        "between 0 and 1 such as 0.01, or 0"
    )


EmbargoField = Annotated[
    Embargo,
    BeforeValidator(parse_embargo),
    PlainSerializer(str),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "number"}], "examples": ["1 session", "30 bars", 0.01]}),
]


def fraction_of(n_rows: int, fraction: float) -> int:
    """Whole rows in a fraction of ``n_rows``, rounded down, the fraction read as the decimal number it was written as.

    >>> fraction_of(100, 0.29)  # 28.999999999999996 in binary
    29
    """
    return math.floor(n_rows * fraction * (1 + 1e-12))


@dataclass(frozen=True, eq=False)
class TradingTime:
    """The bars and sessions of a study's development span: what an embargo is counted in.

    ``clock`` has the moment each bar became available (int64 ns UTC, rising); ``session`` numbers each bar's session.
    The end of a session is the availability of its last bar; where sessions of several calendars interleave (a pool),
    it is the latest end of all sessions up to that number.
    """

    clock: Int
    session: Int

    def embargo_until(self, exited: int, embargo: Embargo) -> int:
        """The last moment (ns) at which later events are dropped for a block whose last label ended at ``exited``."""
        if embargo.amount == 0:
            return exited
        at = self._bar_of(exited)
        if embargo.unit == "session":
            numbers, ends = self._session_ends()
            place = int(np.searchsorted(numbers, self.session[at]))
            until = ends[min(place + int(embargo.amount), len(ends) - 1)]
        else:
            until = self.clock[min(at + self._bars(embargo), len(self.clock) - 1)]
        return int(until)

    def purge_from(self, decided: int, embargo: Embargo) -> int:
        """The first exit (ns) of an earlier event whose embargo reaches a block that starts at ``decided``."""
        if embargo.amount == 0:
            return decided
        at = self._bar_of(decided)
        if embargo.unit == "session":
            _, ends = self._session_ends()
            clear = int(np.searchsorted(ends, decided)) - int(embargo.amount) - 1
            return int(ends[clear]) + 1 if clear >= 0 else int(self.clock[0])
        clear = at - self._bars(embargo) - 1
        return int(self.clock[clear]) + 1 if clear >= 0 else int(self.clock[0])

    def _bars(self, embargo: Embargo) -> int:
        if embargo.unit == "fraction":
            return fraction_of(len(self.clock), embargo.amount)
        return int(embargo.amount)

    def _bar_of(self, moment: int) -> int:
        """The bar during which a moment falls: the first one available then or later."""
        return min(int(np.searchsorted(self.clock, moment)), len(self.clock) - 1)

    def _session_ends(self) -> tuple[Int, Int]:
        numbers, place = np.unique(self.session, return_inverse=True)
        ends = np.full(len(numbers), self.clock[0])
        np.maximum.at(ends, place, self.clock)
        return numbers, np.maximum.accumulate(ends)
