"""The same bars have the same name everywhere; one changed tick has another."""

from dataclasses import fields, replace

import numpy as np
import pytest

from farm.bars import AlwaysOpen, Bars, ExchangeCalendar, Instrument
from farm.bars.fingerprint import fingerprint
from farm.bars.instrument import BasisPoints
from farm.bars.timeframe import MINUTE

INSTRUMENT = Instrument(
    name="made_up",
    symbols=("SYN*",),
    asset="synthetic",
    currency="USD",
    calendar=AlwaysOpen(),
    tick_size=0.01,
    point_value=1.0,
    lot=0.01,
    commission=BasisPoints(value=1),
    slippage=BasisPoints(value=1),
    source="made up for a test",
)


def bars() -> Bars:
    time = np.arange(8, dtype=np.int64) * MINUTE
    price = np.linspace(100, 101, 8)
    zero = np.zeros(8, dtype=np.int64)
    return Bars("SYN", "1min", time, time + MINUTE, price, price, price, price, price, zero, zero)


def test_the_fingerprint_is_the_same_on_every_machine():
    assert fingerprint(bars(), INSTRUMENT) == fingerprint(bars(), INSTRUMENT) == "795cbcd2b80cec056c4523345209b86f"


@pytest.mark.parametrize("column", [f.name for f in fields(Bars) if f.name not in ("symbol", "timeframe")])
def test_one_changed_value_changes_it(column):
    changed = getattr(bars(), column).copy()
    changed[3] = np.nextafter(changed[3], np.inf) if changed.dtype.kind == "f" else changed[3] + 1
    assert fingerprint(replace(bars(), **{column: changed}), INSTRUMENT) != fingerprint(bars(), INSTRUMENT)


def test_symbol_timeframe_and_calendar_are_part_of_it_and_costs_are_not():
    own = fingerprint(bars(), INSTRUMENT)
    assert fingerprint(replace(bars(), symbol="SYN2"), INSTRUMENT) != own
    assert fingerprint(replace(bars(), timeframe="2min"), INSTRUMENT) != own
    assert fingerprint(bars(), INSTRUMENT.model_copy(update={"calendar": ExchangeCalendar(name="NSE")})) != own
    assert fingerprint(bars(), INSTRUMENT.model_copy(update={"calendar": AlwaysOpen()})) == own
    assert fingerprint(bars(), INSTRUMENT.model_copy(update={"commission": BasisPoints(value=9)})) == own


def test_a_view_with_strides_has_the_name_of_its_values():
    doubled = {f.name: np.repeat(getattr(bars(), f.name), 2)[::2] for f in fields(Bars)[2:]}
    assert fingerprint(replace(bars(), **doubled), INSTRUMENT) == fingerprint(bars(), INSTRUMENT)
