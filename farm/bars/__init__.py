"""Bars: read, check, calendar and sessions, segments, gaps, resample, compare, synthesize, fingerprint."""

from typing import Annotated

from pydantic import Field

from farm.bars.activity import Activity
from farm.bars.calendar import AlwaysOpen, Calendar
from farm.bars.continuous import Roll
from farm.bars.contracts import ContractBars
from farm.bars.exchange import ExchangeCalendar
from farm.bars.frame import Bars
from farm.bars.fx_week import FxWeek
from farm.bars.gaps import FillForward, LeaveGaps
from farm.bars.imbalance import Imbalance
from farm.bars.instrument import Instrument, instrument_for
from farm.bars.jump import Jump, Split
from farm.bars.load import Loaded
from farm.bars.resample import resample
from farm.bars.source import CsvBars, ParquetBars
from farm.bars.synthesize import SyntheticBars
from farm.bars.timeframe import Timeframe, nanoseconds

BarSource = Annotated[ParquetBars | CsvBars | ContractBars | SyntheticBars, Field(discriminator="source")]

__all__ = [
    "Activity",
    "AlwaysOpen",
    "BarSource",
    "Bars",
    "Calendar",
    "ContractBars",
    "CsvBars",
    "ExchangeCalendar",
    "FillForward",
    "FxWeek",
    "Imbalance",
    "Instrument",
    "Jump",
    "LeaveGaps",
    "Loaded",
    "ParquetBars",
    "Roll",
    "Split",
    "SyntheticBars",
    "Timeframe",
    "instrument_for",
    "nanoseconds",
    "resample",
]
