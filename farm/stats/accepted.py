"""What the statistics accept as returns, checked once at the door."""

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray: TypeAlias = NDArray[np.float64]

_TOO_LARGE = 1e100  # sums of squares of anything below it still fit


def accept_series(values: ArrayLike, name: str = "returns", at_least: int = 2) -> FloatArray:
    """One finite float64 series, shape (n,), contiguous; a single column of shape (n, 1) counts as a series.

    Raises
    ------
    ValueError
        When it is not one series of at least `at_least` finite numbers.
    """
    series = np.asarray(values, dtype=np.float64)
    if series.ndim == 2 and series.shape[1] == 1:
        series = series[:, 0]
    if series.ndim != 1:
        raise ValueError(f"{name} has shape {series.shape}; one series (T,) is needed, so pass one column at a time")
    if len(series) < at_least:
        raise ValueError(f"{name} has {len(series)} values; at least {at_least} are needed, so give a longer span")
    _refuse_unknown(series, name)
    return np.ascontiguousarray(series)


def accept_matrix(values: ArrayLike, name: str = "returns", rows: int = 2, columns: int = 2) -> FloatArray:
    """One finite float64 matrix, shape (T, N), time first, C-contiguous.

    Raises
    ------
    ValueError
        When it is not a matrix of at least `rows` × `columns` finite numbers.
    """
    matrix = np.asarray(values, dtype=np.float64)
    if matrix.ndim != 2:
        raise ValueError(f"{name} has shape {matrix.shape}; a matrix (T, N), time first, is needed, one column a trial")
    if matrix.shape[1] < columns:
        raise ValueError(f"{name} has {matrix.shape[1]} columns; at least {columns} are needed, one a trial")
    if len(matrix) < rows:
        raise ValueError(
            f"{name} has {len(matrix)} rows; at least {rows} are needed (time goes down the rows: is it transposed?)"
        )
    _refuse_unknown(matrix, name)
    return np.ascontiguousarray(matrix)


def is_constant(series: FloatArray) -> bool:
    """Whether all values are one value, by the range: a constant's standard deviation is rarely exactly zero."""
    return bool(np.ptp(series) == 0.0)


def accept_probability(value: float, name: str) -> float:
    """`value` when it lies strictly between 0 and 1, else a ValueError."""
    if not 0.0 < value < 1.0:
        raise ValueError(f"{name} is {value}; it must lie strictly between 0 and 1, such as 0.95")
    return float(value)


def accept_seed(seed: int) -> int:
    """`seed` when it is a whole number that 64 bits hold, else a ValueError."""
    if seed != int(seed) or not 0 <= seed < 2**64:
        raise ValueError(f"seed is {seed}; it must be a whole number from 0 to 2**64 - 1")
    return int(seed)


def _refuse_unknown(values: FloatArray, name: str) -> None:
    if values.size == 0 or (values.max() < _TOO_LARGE and values.min() > -_TOO_LARGE):
        return
    place = tuple(int(i) for i in np.argwhere(~(np.abs(values) < _TOO_LARGE))[0])
    where = f"row {place[0]}" + (f", column {place[1]}" if len(place) > 1 else "")
    raise ValueError(
        f"{name} is {values[place]} at {where}; every value must be finite (and under {_TOO_LARGE:.0e}), so drop or "
        "fill such rows first: an idle period is 0, an unknown one is dropped"
    )
