"""A column that is still to be divided: the division is done on the way into the table, and saves a pass."""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import DTypeLike, NDArray

from farm.bars.frame import Bool, Float

_TOGETHER = 512  # rows looked at again while they are in the nearest cache


@dataclass(frozen=True, slots=True)
class Quotient:
    """``times * numerator / denominator``, and ``otherwise`` where the denominator is zero.

    Most features end like this; what a feature's function returns may be one instead of an array. NumPy takes it for
    the array it stands for.

    >>> np.asarray(Quotient(np.array([1.0, 0.0]), np.array([2.0, 0.0]), otherwise=50.0, times=100.0))
    array([50., 50.])
    """

    numerator: Float
    denominator: Float
    otherwise: float
    times: float = 1.0

    def __post_init__(self) -> None:
        if self.numerator.shape != self.denominator.shape:
            raise ValueError(
                f"a quotient of shapes {self.numerator.shape} and {self.denominator.shape}; they must be the same"
            )

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the values."""
        return self.numerator.shape

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[np.float64]:
        """The values, one a row."""
        out = np.empty(len(self.numerator))
        place_quotient(
            self.numerator, self.denominator, self.times, self.otherwise, out, np.ones(len(out), dtype=np.bool_)
        )
        return out if dtype is None else out.astype(dtype)


@njit(cache=True, nogil=True, error_model="numpy")
def place_quotient(
    numerator: Float, denominator: Float, times: float, otherwise: float, out: Float, finite: Bool
) -> None:
    """Write the quotient to ``out`` and unset ``finite`` where it is not."""
    for begin in range(0, len(out), _TOGETHER):
        above, below, made = numerator[begin:], denominator[begin:], out[begin : begin + _TOGETHER]
        missing = 0
        for j in range(len(made)):
            made[j] = otherwise if below[j] == 0.0 else times * above[j] / below[j]
            missing += not abs(made[j]) < np.inf
        if missing:
            _unset(made, finite[begin:])


@njit(cache=True, nogil=True)
def place(column: Float, out: Float, finite: Bool) -> None:
    """Write the column to ``out`` and unset ``finite`` where it is not."""
    for begin in range(0, len(out), _TOGETHER):
        rows, made = column[begin:], out[begin : begin + _TOGETHER]
        missing = 0
        for j in range(len(made)):
            made[j] = rows[j]
            missing += not abs(rows[j]) < np.inf
        if missing:
            _unset(made, finite[begin:])


@njit(cache=True, nogil=True)
def _unset(made: Float, finite: Bool) -> None:
    for j in range(len(made)):
        finite[j] &= abs(made[j]) < np.inf
