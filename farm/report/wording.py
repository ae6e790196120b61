"""How values are written for people: an unknown is the word "unknown", never a number."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

UNKNOWN = "unknown"
_MINUS = "\N{MINUS SIGN}"


def number(value: float | None, digits: int = 2) -> str:
    """A number with a fixed count of decimals.

    >>> number(-1.234), number(None), number(1234.5, 0)
    ('−1.23', 'unknown', '1,234')
    """
    if value is None:
        return UNKNOWN
    text = f"{value:,.{digits}f}"
    if float(text.replace(",", "")) == 0:
        text = text.lstrip("-")
    return text.replace("-", _MINUS)


def percent(value: float | None, digits: int = 1) -> str:
    """A fraction in percent.

    >>> percent(0.0523), percent(None)
    ('5.2%', 'unknown')
    """
    return UNKNOWN if value is None else f"{number(100 * value, digits)}%"


def signed(value: float) -> str:
    """A difference: a number that says its sign.

    >>> signed(0.5), signed(-0.5)
    ('+0.50', '−0.50')
    """
    return f"+{number(value)}" if value > 0 else number(value)


def signed_percent(value: float) -> str:
    """A difference of fractions, in percent.

    >>> signed_percent(0.05), signed_percent(-0.05)
    ('+5.0%', '−5.0%')
    """
    return f"+{percent(value)}" if value > 0 else percent(value)


def chance(value: float | None, bound: str = "") -> str:
    """A p-value, which no one needs below a thousandth; ``bound`` is ``<`` or ``>`` where only a bound is known.

    >>> chance(0.0314), chance(1e-15), chance(0.1, ">"), chance(None)
    ('0.031', '< 0.001', '> 0.100', 'unknown')
    """
    if value is None:
        return UNKNOWN
    if value < 0.001:
        return "< 0.001"
    return f"{bound} {number(value, 3)}".strip()


def count(value: float | None) -> str:
    """A whole number.

    >>> count(189216), count(None)
    ('189,216', 'unknown')
    """
    return UNKNOWN if value is None else number(value, 0)


def interval(low: float | None, high: float | None) -> str:
    """A closed interval.

    >>> interval(-0.5, 1.25), interval(None, None)
    ('−0.50 to 1.25', 'unknown')
    """
    return UNKNOWN if low is None or high is None else f"{number(low)} to {number(high)}"


def multiple(value: float | None) -> str:
    """A cost multiple at which nothing is earned; a strategy that loses before costs has none.

    >>> multiple(6.19), multiple(-1.2), multiple(None)
    ('6.2×', 'none', 'unknown')
    """
    if value is None:
        return UNKNOWN
    digits = 2 if value < 1 else 1 if value < 100 else 0
    return "none" if value < 0 else f"{number(value, digits)}×"


def day(nanoseconds: int) -> str:
    """The UTC day of a time in ns.

    >>> day(1_578_351_600_000_000_000)
    '2020-01-06'
    """
    return f"{datetime.fromtimestamp(nanoseconds // 10**9, UTC):%Y-%m-%d}"


def moment(nanoseconds: int) -> str:
    """The UTC minute of a time in ns.

    >>> moment(1_578_351_600_000_000_000)
    '2020-01-06 23:00'
    """
    return f"{datetime.fromtimestamp(nanoseconds // 10**9, UTC):%Y-%m-%d %H:%M}"


def stamp(text: str | None) -> str:
    """An ISO time of the manifest, to the minute, in UTC.

    >>> stamp("2026-11-21T21:52:00.707218+00:00")
    '2026-11-21 21:52 UTC'
    """
    return UNKNOWN if text is None else f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def duration(nanoseconds: int) -> str:
    """A span of time in the largest unit that keeps it above one.

    >>> duration(90 * 60 * 10**9), duration(0)
    ('1.5 h', '0 min')
    """
    minutes = nanoseconds / 60e9
    if minutes < 60:
        return f"{minutes:.0f} min"
    return f"{minutes / 60:.1f} h" if minutes < 48 * 60 else f"{minutes / 1440:.1f} days"


def counted(n: int, one: str, many: str | None = None) -> str:
    """A count with its noun.

    >>> counted(1, "candidate"), counted(6, "candidate"), counted(2, "study", "studies")
    ('1 candidate', '6 candidates', '2 studies')
    """
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def listed(names: Sequence[str], most: int = 6) -> str:
    """Names in a sentence; the rest of a long list is counted.

    >>> listed(["a", "b", "c"]), listed(list("abcdefgh"), 3)
    ('a, b and c', 'a, b, c and 5 more')
    """
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most:,} more"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else "none"


def value_range(values: Sequence[float | None], digits: int = 1) -> str:
    """One value, or the lowest and highest of several.

    >>> value_range([1.79, 1.8]), value_range([3, 3], 0), value_range([None])
    ('1.8', '3', 'unknown')
    """
    known = [value for value in values if value is not None]
    low, high = (number(min(known), digits), number(max(known), digits)) if known else (UNKNOWN, UNKNOWN)
    return low if low == high else f"{low} to {high}"


FILTERS: dict[str, Any] = {
    "number": number,
    "percent": percent,
    "chance": chance,
    "value_range": value_range,
    "signed": signed,
    "signed_percent": signed_percent,
    "count": count,
    "interval": interval,
    "multiple": multiple,
    "day": day,
    "moment": moment,
    "stamp": stamp,
    "duration": duration,
    "counted": counted,
    "listed": listed,
}
