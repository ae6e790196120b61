"""What a model is shown of a panel: scaled columns, one row a decision or the bars before it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from farm.models.contract import Float

Int = NDArray[np.int64]

_CLIP = 5.0  # spreads; what lies further out says no more than that


@dataclass(frozen=True, eq=False)
class Scaling:
    """Columns around their centre in units of their spread; ``centre`` None leaves them as they are."""

    centre: Float | None = None
    spread: Float | None = None
    clip: float | None = None

    @classmethod
    def fitted(cls, inputs: Float, kind: str) -> "Scaling":
        """The scaling of these rows (n, columns): ``none``, ``standard`` or ``robust`` (quartiles, clipped at 5).

        >>> Scaling.fitted(np.array([[1.0], [3.0]]), "standard")(np.array([[5.0]])).tolist()
        [[3.0]]
        """
        if kind == "none":
            return cls()
        if kind == "robust":
            low, centre, high = np.percentile(inputs, [25, 50, 75], axis=0)
            return cls(centre, np.where(high > low, high - low, 1.0), _CLIP)
        # By the range: the computed deviation of a constant column is a rounding error, and dividing by it would blow
        # up whatever other values the held-out rows have.
        moves = np.ptp(inputs, axis=0) > 0
        return cls(inputs.mean(axis=0), np.where(moves, inputs.std(axis=0), 1.0), None)

    def __call__(self, inputs: Float) -> Float:
        """The values scaled, columns last."""
        if self.centre is None or self.spread is None:
            return inputs
        scaled = (inputs - self.centre) / self.spread
        return scaled if self.clip is None else np.clip(scaled, -self.clip, self.clip)


class RowRanges:
    """Rows of a matrix as views of the contiguous pieces that they lie in; a copy is made where an array is asked for.

    Purged train rows are a few such pieces, and a library that reads a list of them needs no copy of its own.

    >>> rows = RowRanges((np.zeros((1, 2)), np.ones((2, 2))))
    >>> rows.shape, rows[np.array([0, 2])].tolist()
    ((3, 2), [[0.0, 0.0], [1.0, 1.0]])
    """

    def __init__(self, pieces: Sequence[Float]) -> None:
        self.pieces = tuple(pieces)
        self.shape = (sum(map(len, self.pieces)), self.pieces[0].shape[1])

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        return np.concatenate(self.pieces).astype(dtype or np.float64, copy=False)

    def __getitem__(self, rows: Int) -> Float:
        """A copy of the rows at these positions."""
        return np.asarray(self)[rows]


def pieces_of(X: Float | RowRanges) -> tuple[Float, ...]:
    """The arrays that rows lie in; an array is its only piece."""
    return X.pieces if isinstance(X, RowRanges) else (X,)


class BarWindows:
    """The last ``length`` bars before and at each decision, gathered and scaled batch by batch.

    Nothing is copied before it is indexed: neighbouring windows share nearly all their bars, and a copy of all would be
    ``length`` times as large as the history.

    >>> history = np.arange(10.0).reshape(5, 2)
    >>> windows = BarWindows(history, last=np.array([2, 4]), length=3, columns=np.array([1]), scaling=Scaling())
    >>> windows.shape, windows[np.array([1])].tolist()
    ((2, 3, 1), [[[5.0], [7.0], [9.0]]])
    """

    def __init__(self, history: Float, last: Int, length: int, columns: Int, scaling: Scaling) -> None:
        if len(last) and (last.min() < length - 1 or last.max() >= len(history)):
            raise ValueError(
                f"windows of {length} bars end at rows {last.min()} to {last.max()} of a history of {len(history)} "
                "bars; a decision needs a whole window behind it"
            )
        self._history = history
        self._last = last
        self._steps = np.arange(1 - length, 1)
        self._columns = columns
        self._scaling = scaling

    @property
    def shape(self) -> tuple[int, int, int]:
        """(n, length, columns)."""
        return len(self._last), len(self._steps), len(self._columns)

    def __len__(self) -> int:
        return len(self._last)

    def __getitem__(self, rows: Int) -> Float:
        """The windows at these positions, shape (len(rows), length, columns), oldest bar first."""
        gathered = self._history[self._last[rows][:, None] + self._steps]
        return self._scaling(columns_of(gathered, self._columns))


def columns_of(values: Float, columns: Int) -> Float:
    """These columns, the last axis, without a copy where they are all of them."""
    return values if len(columns) == values.shape[-1] else values[..., columns]
