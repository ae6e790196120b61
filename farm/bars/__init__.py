"""Bars: read, check, calendar and sessions, segments, resample, synthesize, fingerprint."""

from typing import Annotated

from pydantic import Field

from farm.bars.calendar import AlwaysOpen, Calendar, ExchangeCalendar
from farm.bars.frame import Bars
from farm.bars.instrument import Instrument, instrument_for
from farm.bars.load import Loaded
from farm.bars.resample import resample
from farm.bars.source import CsvBars, ParquetBars
from farm.bars.synthesize import SyntheticBars
from farm.bars.timeframe import Timeframe, nanoseconds

BarSource = Annotated[ParquetBars | CsvBars | SyntheticBars, Field(discriminator="source")]

__all__ = [
    "AlwaysOpen",
    "BarSource",
    "Bars",
    "Calendar",
    "CsvBars",
    "ExchangeCalendar",
    "Instrument",
    "Loaded",
    "ParquetBars",
    "SyntheticBars",
    "Timeframe",
    "instrument_for",
    "nanoseconds",
    "resample",
]
