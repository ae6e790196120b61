"""One continuous series from the contracts of a future: which one is held when, and how their prices are joined."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from farm.bars.calendar import Calendar
from farm.bars.frame import Bars, Int
from farm.bars.timeframe import DAY
from farm.errors import BadInput
from farm.section import Section

Adjust = Literal["ratio", "difference", "none"]

_PRICES = ("open", "high", "low", "close")


@dataclass(frozen=True, eq=False)
class Contract:
    """Bars of one contract and its last day, in days since 1970-01-01."""

    name: str
    expiry: int
    bars: Bars


@dataclass(frozen=True)
class Roll:
    """A change of contract: the first bar on the new one opens at ``time`` (ns UTC).

    ``before`` and ``after`` are the closes of the old and the new contract on the last bar that both have before it.
    """

    time: int
    out_of: str
    into: str
    before: float
    after: float


class BeforeExpiry(Section):
    """Roll a fixed number of sessions before the contract's last day: that many sessions of it are not held."""

    kind: Literal["before_expiry"] = "before_expiry"
    sessions: int = Field(default=5, ge=0)

    def held(self, contracts: Sequence[Contract], dates: Int, calendar: Calendar) -> Int:
        """The contract held in each session, as its position; the number of contracts where all are past."""
        last = max(*(contract.expiry for contract in contracts), int(dates[-1]))
        every = calendar.sessions(int(dates[0]) * DAY, (last + 1) * DAY).date
        expires = np.searchsorted(every, [contract.expiry for contract in contracts])
        left = expires[None, :] - np.searchsorted(every, dates)[:, None]
        return np.sum(left < self.sessions, axis=1, dtype=np.int64)


class ByVolume(Section):
    """Roll in the session after a later contract traded more than the one held; never back, at the latest on expiry."""

    kind: Literal["volume"] = "volume"

    def held(self, contracts: Sequence[Contract], dates: Int, calendar: Calendar) -> Int:  # noqa: ARG002 (as its peer)
        """The contract held in each session, as its position; the number of contracts where all are past."""
        volume = np.zeros((len(dates), len(contracts)))
        for number, contract in enumerate(contracts):
            np.add.at(volume[:, number], np.searchsorted(dates, contract.bars.session), contract.bars.volume)
        expiry = np.array([contract.expiry for contract in contracts])
        held = np.empty(len(dates), dtype=np.int64)
        now = 0
        for at, date in enumerate(dates):
            if at and now < len(contracts):
                now += int(volume[at - 1, now:].argmax())
            now = max(now, int(np.searchsorted(expiry, date)))
            held[at] = now
        return held


RollRule = Annotated[BeforeExpiry | ByVolume, Field(discriminator="kind")]


def continuous(
    contracts: Sequence[Contract], rule: BeforeExpiry | ByVolume, adjust: Adjust, symbol: str, calendar: Calendar
) -> tuple[Bars, tuple[Roll, ...]]:
    """The bars of the contract held in each session, joined, and the rolls; the last contract keeps its prices.

    With ``ratio`` the prices before a roll are multiplied by new over old close of the last bar that both contracts
    have before it, with ``difference`` raised by their difference: a roll makes no return. With ``none`` prices are as
    they traded, and the step at a roll is no return that anybody had. The first bar on a new contract is marked as
    ``rolled``. Volumes are the held contract's. Segments are numbered as in the contracts that the bars come from:
    whoever joins them places them anew.

    Parameters
    ----------
    contracts
        In the order of their expiry, each with bars in time order.
    rule
        Which contract is held in a session, decided by what was known before it.
    adjust
        How prices before a roll are brought to the level of the new contract.
    symbol
        Name of the joined series.
    calendar
        The one that placed the bars in sessions.

    Raises
    ------
    BadInput
        Two contracts that follow one another have no bar in common before the roll; a difference makes a price that is
        not above 0.
    """
    dates = np.unique(np.concatenate([contract.bars.session for contract in contracts]))
    held = rule.held(contracts, dates, calendar)
    parts: list[tuple[Contract, Bars]] = []
    for number, contract in enumerate(contracts):
        start, stop = np.searchsorted(contract.bars.session, _span(dates[held == number]))
        if stop > start:
            parts.append((contract, contract.bars.between(int(start), int(stop))))
    if not parts:
        raise BadInput(f"{symbol}: no session in which the contract to hold has bars; see `roll`")
    rolls = tuple(_roll(old[0], *new) for old, new in pairwise(parts))
    joined = [_adjusted(part, rolls[number:], adjust) for number, (_, part) in enumerate(parts)]
    columns: dict[str, Any] = {
        field.name: np.concatenate([getattr(part, field.name) for part in joined])
        for field in fields(Bars)
        if field.name not in ("symbol", "timeframe")
    }
    columns["rolled"] = np.isin(columns["open_time"], [roll.time for roll in rolls])
    bars = replace(contracts[0].bars, symbol=symbol, **columns)
    below = np.flatnonzero(bars.low <= 0)
    if len(below):
        day = np.datetime64(int(bars.session[below[-1]]), "D")
        raise BadInput(
            f"{symbol}: adjusted by differences, {len(below)} bars up to {day} have prices that are not above 0; "
            "use `adjust: ratio`"
        )
    return bars, rolls


def _span(dates: Int) -> tuple[int, int]:
    """First date and the day after the last one; an empty span where there are none."""
    return (int(dates[0]), int(dates[-1]) + 1) if len(dates) else (0, 0)


def _roll(old: Contract, new: Contract, part: Bars) -> Roll:
    common, at_old, at_new = np.intersect1d(old.bars.open_time, new.bars.open_time, return_indices=True)
    before = int(np.searchsorted(common, part.open_time[0])) - 1
    if before < 0:
        day = np.datetime64(int(part.session[0]), "D")
        raise BadInput(
            f"contracts {old.name} and {new.name} have no bar in common before the roll of {day}, so their prices "
            "cannot be joined; roll earlier by `roll: {kind: before_expiry, sessions: N}`, or give both contracts' bars"
        )
    return Roll(
        int(part.open_time[0]),
        old.name,
        new.name,
        float(old.bars.close[at_old[before]]),
        float(new.bars.close[at_new[before]]),
    )


def _adjusted(part: Bars, later: Sequence[Roll], adjust: Adjust) -> Bars:
    match adjust:
        case "ratio":
            factor = float(np.prod([roll.after / roll.before for roll in later]))
            return replace(part, **{name: getattr(part, name) * factor for name in _PRICES})
        case "difference":
            step = float(np.sum([roll.after - roll.before for roll in later]))
            return replace(part, **{name: getattr(part, name) + step for name in _PRICES})
        case "none":
            return part
