"""The prices of a text: what they are divided by, and the level that was chosen."""

import re

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import compute

from farm.bars.frame import Float, Int
from farm.data.layout import PRICES, Head
from farm.data.parts import Part
from farm.data.terms import Terms
from farm.errors import BadInput


def stop_at_wrong_choice(part: Part, head: Head, terms: Terms) -> None:
    """Raise `BadInput` where raw or adjusted prices must be chosen and were not, or cannot be and were."""
    if "adjusted" in head.place and terms.prices is None:
        raise BadInput(
            f"{part.label}: it has closes as traded and adjusted ones; choose by --prices quoted or --prices adjusted"
        )
    if "adjusted" not in head.place and terms.prices is not None:
        raise BadInput(
            f"{part.label}: it has no adjusted close, so nothing says what its prices are; leave --prices "
            f"{terms.prices} out to take them as they are written"
        )


def divisor_of(part: Part, head: Head, terms: Terms) -> float:
    """What a text's prices are divided by: as declared, else fixed-point where the first row has no decimal point."""
    layout = terms.layout
    if terms.divisor is not None:
        return terms.divisor
    if layout.fixed_point is None:
        return layout.divisor
    with_point = [re.search("[.eE]", head.first[head.place[price][0]]) is not None for price in PRICES]
    if any(with_point) and not all(with_point):
        raise BadInput(
            f"{part.label}, line {head.header_lines + 1}: some prices are written with a decimal point and some "
            "without; say what they are divided by with --price-divisor"
        )
    return 1.0 if all(with_point) else layout.fixed_point


def stop_at_two_kinds(part: Part, table: pd.DataFrame, line: Int, head: Head, terms: Terms, divisor: float) -> None:
    """Raise `BadInput` where a layout that writes prices in two ways does so within one text."""
    if terms.layout.fixed_point is None or terms.divisor is not None:
        return
    fixed = divisor != 1.0
    for price in PRICES:
        column = table[head.place[price][0]].fillna("")
        odd = np.flatnonzero((column.str.contains("[.eE]") == fixed).to_numpy(dtype=bool) & (column != "").to_numpy())
        if len(odd):
            raise BadInput(
                f"{part.label}, line {line[odd[0]]}: {price} {column.iloc[odd[0]]!r} is written "
                f"{'with' if fixed else 'without'} a decimal point, unlike the rows before; split the file, or say "
                "what its prices are divided by with --price-divisor"
            )


def adjust(values: dict[str, Float], adjusted: pd.Series, wrong: dict[int, str]) -> None:
    """Bring the four prices to the level of the adjusted close, by one factor a row, which keeps their order."""
    goal, close = numbers(adjusted), values["close"]
    factor = np.divide(goal, close, out=np.full(len(goal), np.nan), where=close > 0)
    for at in np.flatnonzero(~((factor > 0) & np.isfinite(factor))):
        wrong.setdefault(int(at), f"adjusted close {adjusted.iloc[at]!r} does not go with close {close[at]:g}")
    for price in PRICES:
        values[price] = values[price] * factor


def numbers(text: pd.Series) -> Float:
    """The numbers of a column, NaN where nothing or something else is written."""
    column = compute.utf8_trim_whitespace(pa.array(text, type=pa.string(), from_pandas=True))
    try:
        return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
    except pa.ArrowInvalid:  # something else is written: the slower way says where
        return np.asarray(pd.to_numeric(column.to_pandas(), errors="coerce"), dtype=np.float64)
