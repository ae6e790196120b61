"""By how well each column separates the classes alone: the default, a few passes over the rows."""

from typing import Literal

from farm.selection.choice import Chooser, separation
from farm.selection.rows import Float, TrainRows


class Separation(Chooser):
    """One-way F: the share of a column's variance that lies between the classes.

    Sees shifts of the mean, one column at a time; neither a difference in spread nor what two columns say together.

    Examples
    --------
    >>> import numpy as np
    >>> label = np.tile([-1, 1], 50).astype(np.int8)
    >>> time = np.arange(100)
    >>> inputs = np.column_stack([np.sin(time**2), label + np.sin(time**3)])
    >>> Separation().choose(TrainRows(inputs, label, np.ones(100), time, time), keep=1, seed=0)
    array([1])
    """

    kind: Literal["separation"] = "separation"

    def importance(self, rows: TrainRows, seed: int) -> Float:  # noqa: ARG002  # nothing is drawn here
        """Between 0 and 1, shape (columns,)."""
        return separation(rows)
