"""A file's times as nanoseconds UTC; what a time means is stated by the experiment, never guessed."""

from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import compute
from pydantic import AfterValidator

from farm.bars.frame import Int
from farm.errors import BadInput

NO_TIME = int(np.iinfo(np.int64).min)
"""Stands for a time that could not be read."""

Problem = tuple[int, str]
"""Position in an array, and the rule that is broken there."""

_EPOCH = {"epoch_s": "s", "epoch_ms": "ms", "epoch_us": "us", "epoch_ns": "ns"}
_OFFSET = r"(?:Z|:\d\d(?:\.\d+)?\s?[+-]\d\d(?::?\d\d)?)$"
_DATED = r"^\d{4}"
_FIRST, _LAST = pd.Timestamp("1970-01-01"), pd.Timestamp("2261-12-31")


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"time zone {name!r} is not known; write an IANA name such as UTC or Asia/Kolkata") from error
    return name


def _known_format(text: str) -> str:
    if text not in ("iso", *_EPOCH) and "%" not in text:
        raise ValueError(
            f"time format {text!r} is none of iso, {', '.join(_EPOCH)} or a pattern such as %d/%m/%Y %H:%M"
        )
    return text


Zone = Annotated[str, AfterValidator(_known_zone)]
TimeFormat = Annotated[str, AfterValidator(_known_format)]


def nanoseconds_utc(times: pa.Array, time_format: str, zone: str | None, file: str) -> tuple[Int, list[Problem]]:
    """Nanoseconds UTC of a column of times, and (position, rule) of those that are not a time; these are `NO_TIME`.

    Raises `BadInput` where the column as a whole is not understood: no zone, two zones, numbers of unknown unit.
    """
    if not len(times):
        return np.zeros(0, dtype=np.int64), []
    kind = times.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        stamps = times.cast(pa.timestamp("ms")) if pa.types.is_date(kind) else times
        return _on_clock(pd.DatetimeIndex(stamps.to_pandas()), zone, file)
    if time_format in _EPOCH:
        return _from_epoch(times, time_format, zone, file)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _from_text(times, time_format, zone, file)
    example = next((each for each in times.to_pylist() if each is not None), None)
    raise BadInput(
        f"{file}: its times are of type {kind}, such as {example}; say what they count by "
        f"`time_format`: {', '.join(_EPOCH)}"
    )


def _from_epoch(times: pa.Array, time_format: str, zone: str | None, file: str) -> tuple[Int, list[Problem]]:
    if zone not in (None, "UTC"):
        raise BadInput(f"{file}: {time_format} counts from 1970 in UTC; leave `zone: {zone}` out")
    kind = times.type
    if pa.types.is_floating(kind):
        whole = compute.equal(times, compute.floor(times))
        times = compute.if_else(whole, times, None).cast(pa.int64(), safe=False)
    elif not pa.types.is_integer(kind):
        times = compute.if_else(compute.match_substring_regex(times, "^[0-8]?[0-9]{1,18}$"), times, None)
    numbers = times.cast(pa.int64()).fill_null(NO_TIME).to_numpy(zero_copy_only=False)
    return _on_clock(pd.DatetimeIndex(numbers.view(f"datetime64[{_EPOCH[time_format]}]")), "UTC", file)


def _from_text(times: pa.Array, time_format: str, zone: str | None, file: str) -> tuple[Int, list[Problem]]:
    text = times.to_pandas()
    if time_format == "iso":
        dated = compute.match_substring_regex(times, _DATED)  # a line of another file has neither date nor zone
        zoned = _count(compute.and_(dated, compute.match_substring_regex(times, _OFFSET)))
        if 0 < zoned < _count(dated):
            raise BadInput(f"{file}: some of its times carry a zone and some do not; write all of them one way")
        parsed = pd.to_datetime(text, format="ISO8601", errors="coerce", utc=zoned > 0)
    else:
        parsed = pd.to_datetime(text, format=time_format, errors="coerce", utc="%z" in time_format)
    return _on_clock(pd.DatetimeIndex(parsed), zone, file)


def _count(marks: pa.Array) -> int:
    return compute.sum(marks).as_py() or 0


def _on_clock(times: pd.DatetimeIndex, zone: str | None, file: str) -> tuple[Int, list[Problem]]:
    if times.tz is not None and zone is not None:
        raise BadInput(f"{file}: its times carry a zone of their own ({times.tz}); leave `zone: {zone}` out")
    if times.tz is None and zone is None:
        raise BadInput(f"{file}: its times carry no zone; say which clock they are on by `zone`, such as UTC")
    naive = times if times.tz is None else times.tz_convert("UTC").tz_localize(None)
    unread = np.asarray(naive.isna())
    beyond = np.asarray((naive < _FIRST) | (naive > _LAST))
    problems: list[Problem] = [(int(at), "is not a time") for at in np.flatnonzero(unread)]
    problems += [(int(at), "is not between 1970 and 2261") for at in np.flatnonzero(beyond)]
    naive = pd.DatetimeIndex(naive.where(~beyond))
    if times.tz is None and zone is not None:
        naive, odd = _to_utc(naive, zone)
        problems += odd
    ns = np.asarray(naive.as_unit("ns").asi8).copy()
    ns[np.asarray(naive.isna())] = NO_TIME
    return ns, problems


def _to_utc(wall: pd.DatetimeIndex, zone: str) -> tuple[pd.DatetimeIndex, list[Problem]]:
    """Naive UTC times of a wall clock; the hours that the clock skips or shows twice are missing, and named."""
    local = wall.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
    odd = np.flatnonzero(np.asarray(local.isna()) & ~np.asarray(wall.isna()))
    skipped = wall[odd].tz_localize(zone, ambiguous=np.ones(len(odd), dtype=bool), nonexistent="NaT").isna()
    problems = [
        (int(at), f"{'does not exist' if never else 'comes twice'} on the clock of {zone} (daylight saving)")
        for at, never in zip(odd, skipped, strict=True)
    ]
    return local.tz_convert("UTC").tz_localize(None), problems
