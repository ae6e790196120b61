"""The contracts of a future in one long file as a source: joined to a continuous series."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Literal

import numpy as np
from pydantic import model_validator

from farm.bars.continuous import Adjust, BeforeExpiry, Contract, RollRule, continuous
from farm.bars.fingerprint import fingerprint
from farm.bars.gaps import LeaveGaps
from farm.bars.load import Hole, Loaded
from farm.bars.long_file import Column
from farm.bars.parquet_file import read_parquet, text_of_parquet
from farm.bars.rows import FileRows, Role
from farm.bars.segment import place
from farm.bars.source import FileBars
from farm.bars.timeframe import nanoseconds
from farm.errors import BadInput


class ContractBars(FileBars):
    """Bars of all contracts of a future in one Parquet file, one row a contract and bar, joined by a roll rule.

    ``contract`` and ``expiry`` name the columns of the contract and its last day. ``roll`` says when the next contract
    is held, ``adjust`` how earlier prices are brought to its level. Each contract is checked as a file of its own.
    """

    source: Literal["contracts"] = "contracts"
    contract: str = "contract"
    expiry: str = "expiry"
    roll: RollRule = BeforeExpiry()
    adjust: Adjust = "ratio"

    @model_validator(mode="after")
    def _by_time(self) -> "ContractBars":
        if self.activity is not None:
            raise ValueError("activity bars of joined contracts are not made; take bars by time, or one contract's")
        if self.symbol_column is not None or self.prices is not None:
            raise ValueError(
                "a file of contracts is one future's, at quoted prices; leave symbol_column and prices out"
            )
        return self

    def rows(self, symbol: str, columns: Mapping[Role, str]) -> FileRows:
        """The rows of the file, of all contracts."""
        return read_parquet(self.file(symbol), columns, self.time_format, self.zone)

    def text(self, symbol: str, column: str) -> Column:
        """A column of that file as text, one a row."""
        return text_of_parquet(self.file(symbol), column)

    def read(self, symbol: str) -> Loaded:
        """The joined bars of one future, with every roll in the report."""
        content = self.rows(symbol, self.columns)
        names, expiries = self._contracts(symbol)
        loaded: list[Loaded] = []
        contracts: list[Contract] = []
        for name in sorted(set(names), key=lambda each: (expiries[each], each)):
            one = self._load(symbol, content.of(names == name), LeaveGaps())
            loaded.append(one)
            contracts.append(Contract(name, (expiries[name] - date(1970, 1, 1)).days, one.bars))
        instrument = loaded[0].instrument
        calendar = instrument.calendar
        bars, rolls = continuous(contracts, self.roll, self.adjust, symbol, calendar)
        placed = place(bars.open_time, bars.available_at, calendar, nanoseconds(self.max_gap))
        bars = replace(bars, segment=placed.segment)
        whole = self.gaps.fill(bars, calendar)
        reports = [one.report for one in loaded]
        report = replace(
            reports[0],
            rows=content.n_rows,
            bars=len(bars),
            outside_session=sum(each.outside_session for each in reports),
            quarantined=tuple(sorted((bad for each in reports for bad in each.quarantined), key=lambda bad: bad.row)),
            holes=tuple(
                Hole(*map(int, hole)) for hole in zip(placed.hole_start, placed.hole_end, placed.hole_time, strict=True)
            ),
            missing_time=placed.missing_time,
            sessions=len(np.unique(bars.session)),
            segments=int(bars.segment[-1]) + 1,
            fingerprint=fingerprint(whole, instrument),
            adjusted=sum(each.adjusted for each in reports),
            jumps=tuple(jump for each in reports for jump in each.jumps),
            not_held=sum(each.bars for each in reports) - len(bars),
            rolls=rolls,
            closures=placed.closures,
            short_gaps=placed.short_gaps,
            filled=len(whole) - len(bars),
        )
        return Loaded(whole, instrument, report)

    def _contracts(self, symbol: str) -> tuple[Column, dict[str, date]]:
        """The contract of each row of the file, and each contract's last day."""
        file = self.file(symbol)
        names = self._named_by("contract", symbol)
        days: dict[str, date] = {}
        for row, (name, text) in enumerate(zip(names, self._named_by("expiry", symbol), strict=True), start=1):
            try:
                day = date.fromisoformat(str(text)[:10])
            except ValueError as error:
                raise BadInput(f"{file}, row {row}: {self.expiry} {text!r} is no date; write 2017-04-19") from error
            if name is None or days.setdefault(name, day) != day:
                found = "no contract" if name is None else f"contract {name} expires on {days[name]} and on {day}"
                raise BadInput(f"{file}, row {row}: {found}; each row needs its contract, each contract one last day")
        return names, days

    def _named_by(self, key: Literal["contract", "expiry"], symbol: str) -> Column:
        try:
            return self.text(symbol, getattr(self, key))
        except BadInput as error:
            raise BadInput(f"{error}. Name the column by `{key}`") from error
