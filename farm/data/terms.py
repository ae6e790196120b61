"""What was declared about the files of one import."""

from dataclasses import dataclass

from farm.bars.adjusted import Prices
from farm.bars.check import OnBadRows
from farm.bars.stamp import Stamp
from farm.data.layout import Layout


@dataclass(frozen=True)
class Terms:
    """How files are read: as the user said, or by the layout where the user said nothing.

    ``divisor`` is None where the layout's own rule holds, ``prices`` where there is no choice to make.
    """

    layout: Layout
    vendor_symbol: str
    timeframe: str
    stamp: Stamp
    zone: str | None
    prices: Prices | None
    divisor: float | None
    on_bad_rows: OnBadRows
