"""The contracts of a future in one long file as a source: joined to a continuous series."""

from dataclasses import replace
from datetime import date
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import model_validator

from farm.bars.calendar import AlwaysOpen
from farm.bars.continuous import Adjust, BeforeExpiry, Contract, RollRule, continuous
from farm.bars.fingerprint import fingerprint
from farm.bars.load import Hole, Loaded
from farm.bars.parquet_file import read_parquet
from farm.bars.rows import FileRows
from farm.bars.segment import place
from farm.bars.source import FileBars
from farm.bars.timeframe import DAY, nanoseconds
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
        return self

    def read(self, symbol: str) -> Loaded:
        """The joined bars of one future, with every roll in the report."""
        file = self.file(symbol)
        content = read_parquet(file, self.columns, self.time_format, self.zone)
        names, expiries = self._contracts(file)
        loaded: list[Loaded] = []
        contracts: list[Contract] = []
        for name in sorted(set(names), key=lambda each: (expiries[each], each)):
            one = self._load(symbol, _of(content, names == name))
            loaded.append(one)
            contracts.append(Contract(name, (expiries[name] - date(1970, 1, 1)).days, one.bars))
        instrument = loaded[0].instrument
        calendar = instrument.calendar
        bars, rolls = continuous(contracts, self.roll, self.adjust, symbol, calendar)
        step = nanoseconds(self.timeframe)
        by_date = step == DAY and not isinstance(calendar, AlwaysOpen)
        placed = place(bars.open_time, 7 * DAY if by_date else step, calendar, nanoseconds(self.max_gap))
        bars = replace(bars, segment=placed.segment)
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
            fingerprint=fingerprint(bars, instrument),
            adjusted=sum(each.adjusted for each in reports),
            jumps=tuple(jump for each in reports for jump in each.jumps),
            not_held=sum(each.bars for each in reports) - len(bars),
            rolls=rolls,
        )
        return Loaded(bars, instrument, report)

    def _contracts(self, file: str) -> tuple[NDArray[np.object_], dict[str, date]]:
        """The contract of each row of the file, and each contract's last day."""
        import fsspec
        import pyarrow.parquet as pq

        with fsspec.open(file, "rb") as stream:
            present = pq.read_schema(stream).names
            missing = [name for name in (self.contract, self.expiry) if name not in present]
            if missing:
                raise BadInput(
                    f"{file}: no column {' and '.join(missing)}; the file has {', '.join(present)}. Name the columns "
                    "by `contract` and `expiry`"
                )
            table = pq.read_table(stream, columns=[self.contract, self.expiry])
        names = np.asarray(table[self.contract].cast(pa.string()).to_pylist(), dtype=object)
        days: dict[str, date] = {}
        for row, (name, text) in enumerate(zip(names, table[self.expiry].to_pylist(), strict=True), start=1):
            try:
                day = date.fromisoformat(str(text)[:10])
            except ValueError as error:
                raise BadInput(f"{file}, row {row}: {self.expiry} {text!r} is no date; write 2017-04-19") from error
            if name is None or days.setdefault(name, day) != day:
                found = "no contract" if name is None else f"contract {name} expires on {days[name]} and on {day}"
                raise BadInput(f"{file}, row {row}: {found}; each row needs its contract, each contract one last day")
        return names, days


def _of(content: FileRows, mine: NDArray[np.bool_]) -> FileRows:
    """The part of a file that is one contract's; rows keep their numbers."""
    return replace(
        content,
        n_rows=int(mine.sum()),
        rows=content.rows.where(mine[content.rows.row - 1]),
        unreadable=tuple(bad for bad in content.unreadable if mine[bad.row - 1]),
    )
