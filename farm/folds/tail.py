"""The early-stopping tail: the last part of the train rows, held apart from the rows that are fitted."""

import numpy as np

from farm.bars.frame import Int
from farm.errors import BadInput
from farm.folds.embargo import fraction_of


def inner_tail(decided: Int, exited: Int, rows: Int, fraction: float) -> tuple[Int, Int]:
    """(fit rows, tail rows) of one fit: the tail is the last ``fraction`` of ``rows`` in time.

    A fit row is dropped when its label ends at or after the tail's first decision, so the stopping rule never sees what
    was fitted. Rows decided together stay together.

    Parameters
    ----------
    decided, exited
        Decision and label end of every event of the panel, int64 ns UTC.
    rows
        Positions of the train rows in those arrays, sorted.
    fraction
        Part of the train rows in the tail, in (0, 1); at least one row is taken.

    Raises
    ------
    BadInput
        When no row is left to fit on.

    Examples
    --------
    >>> time = np.arange(8)
    >>> inner_tail(time, time + 1, np.array([0, 1, 4, 5, 6, 7]), 0.34)
    (array([0, 1, 4]), array([6, 7]))
    """
    if not 0 < fraction < 1:
        raise ValueError(f"the early-stopping fraction is {fraction}; it must lie between 0 and 1")
    if len(rows) == 0:
        raise BadInput("early stopping: there are no train rows to take a tail from; give the split more events")
    first_in_tail = decided[rows[len(rows) - max(1, fraction_of(len(rows), fraction))]]
    cut = int(np.searchsorted(decided[rows], first_in_tail))
    before, tail = rows[:cut], rows[cut:]
    fit = before[exited[before] < first_in_tail]
    if len(fit) == 0:
        raise BadInput(
            f"early stopping: {len(rows)} train rows leave none to fit on once {len(tail)} are the tail and those "
            "whose label reaches it are dropped; lower the fraction or labels.max_bars, or train without early stopping"
        )
    return fit, tail
