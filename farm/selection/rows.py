"""What a selection may see: the train rows of one fit, and purged folds inside them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from farm.errors import BadInput
from farm.folds import PurgedKFold

Float = NDArray[np.float64]
Int = NDArray[np.int64]

_EMBARGO = 0.01  # of the rows, behind a test block's last label: AFML section 7.4.2


@dataclass(frozen=True, eq=False)
class TrainRows:
    """Train rows of one fit, in the order of their decisions.

    Attributes
    ----------
    inputs : float array, shape (rows, columns)
        Complete and unscaled.
    target : shape (rows,)
        The label of each row.
    uniqueness : float array, shape (rows,)
        Average uniqueness of each label among these rows, in (0, 1]: what a row weighs.
    decided, exited : int64 arrays, shape (rows,)
        When each row was decided and its label known, ns UTC.
    """

    inputs: Float
    target: NDArray[np.int8]
    uniqueness: Float
    decided: Int
    exited: Int

    def inner_folds(self, n: int) -> list[tuple[Int, Int]]:
        """Train and test positions of purged k-fold among these rows, ``n`` contiguous test blocks.

        A row trains in no fold whose test rows its label overlaps, nor in the embargo of 1% of the rows behind it.

        Raises
        ------
        BadInput
            The rows are too few, or their labels too long, for so many folds.
        """
        # The last row that is decided while a label runs: intervals of positions then overlap exactly when times do.
        label_end = np.searchsorted(self.decided, self.exited, side="right") - 1
        try:
            pairs = list(PurgedKFold(n, label_end=label_end, embargo=_EMBARGO).split(self.inputs))
        except ValueError as error:
            raise BadInput(
                f"selection: {len(self.target)} train rows do not give {n} purged folds ({error}); lower "
                "selection.folds, choose kind: separation, or give the splits more events"
            ) from error
        return [(train.astype(np.int64), test.astype(np.int64)) for train, test in pairs]
