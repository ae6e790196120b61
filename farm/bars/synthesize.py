"""Artificial bars as a source: the embedded market that needs no file."""

from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, field_validator

from farm.bars.fingerprint import fingerprint
from farm.bars.frame import Bars
from farm.bars.instrument import instrument_for
from farm.bars.load import Loaded, Report
from farm.bars.market import Market, simulate_market
from farm.bars.symbols import OnBadSymbol
from farm.bars.timeframe import DAY, Timeframe, nanoseconds
from farm.section import Section, digest

_START = 1_577_836_800 * 1_000_000_000  # 2020-01-01 UTC
_DAYS_A_YEAR = 365.25


class MarketSpec(Section):
    """What is planted in one artificial market.

    ``edge`` is the mean of the next return in units of its volatility when the planted signal is 1; 0 plants nothing.
    ``drift`` in [0, 1) makes the rates at which barriers are touched drift without any edge. ``leak`` writes the future
    into the volume, a defect to be found.
    """

    edge: float = Field(default=0.0, ge=0, le=1)
    drift: float = Field(default=0.0, ge=0, lt=1)
    leak: float = Field(default=0.0, ge=0, le=10)


class SyntheticBars(Section):
    """Artificial markets around the clock, the same for the same values on every machine; each has its own history."""

    source: Literal["synthetic"] = "synthetic"
    markets: dict[Annotated[str, Field(pattern="^SYN[A-Za-z0-9_-]*$")], MarketSpec] = Field(min_length=1)
    timeframe: Timeframe = "5min"
    years: float = Field(default=2.0, gt=0, le=50)
    seed: int = Field(default=0, ge=0)
    on_bad_symbol: OnBadSymbol = "stop"

    @field_validator("timeframe")
    @classmethod
    def _divides_a_day(cls, timeframe: str) -> str:
        if DAY % nanoseconds(timeframe):
            raise ValueError(f"timeframe {timeframe} does not divide a day; choose 1min, 5min, 1h or the like")
        return timeframe

    @property
    def symbols(self) -> tuple[str, ...]:
        """Names of the markets."""
        return tuple(self.markets)

    def only(self, symbol: str) -> Self:
        """The section of one of its markets alone."""
        return self.model_copy(update={"markets": {symbol: self.markets[symbol]}})

    def market(self, symbol: str) -> Market:
        """The market of one symbol, with what nobody trading it would know: its signal and its volatility."""
        step = nanoseconds(self.timeframe)
        bars_per_day = DAY // step
        n_bars = round(self.years * _DAYS_A_YEAR) * bars_per_day
        rng = np.random.default_rng(int(digest(["market", symbol, self.seed]), 16))
        base = 0.001 * float(np.sqrt(step / nanoseconds("5min")))
        return simulate_market(n_bars, bars_per_day, rng, base=base, **self.markets[symbol].model_dump())

    def read(self, symbol: str) -> Loaded:
        """The bars of one symbol."""
        market = self.market(symbol)
        step = nanoseconds(self.timeframe)
        open_time = _START + step * np.arange(len(market.close), dtype=np.int64)
        bars = Bars(
            symbol=symbol,
            timeframe=self.timeframe,
            open_time=open_time,
            available_at=open_time + step,
            open=market.open,
            high=market.high,
            low=market.low,
            close=market.close,
            volume=market.volume,
            session=open_time // DAY,
            segment=np.zeros(len(open_time), dtype=np.int64),
        )
        instrument = instrument_for(symbol, None)
        report = Report(
            file=f"synthetic market {symbol}, seed {self.seed}",
            rows=len(bars),
            bars=len(bars),
            outside_session=0,
            quarantined=(),
            extra_columns=(),
            holes=(),
            missing_time=0,
            sessions=len(np.unique(bars.session)),
            segments=1,
            fingerprint=fingerprint(bars, instrument),
        )
        return Loaded(bars, instrument, report)
