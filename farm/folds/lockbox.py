"""The lockbox: where the sealed last span of a study begins."""

import numpy as np

from farm.bars.frame import Int
from farm.errors import BadInput
from farm.folds.embargo import fraction_of


def lockbox_start(session: Int, fraction: float) -> int:
    """Position of the first sealed bar: the bar at (1 - fraction) of all, moved back to the start of its session.

    The development span is ``bars.between(0, lockbox_start(bars.session, fraction))``; it is cut before events, labels
    and groups are made. A fraction of 0 seals nothing: the number of bars.

    Raises
    ------
    BadInput
        When nothing would be left to develop on.

    Examples
    --------
    >>> lockbox_start(np.repeat(np.arange(5), 4), 0.1)  # bar 18 of 20 belongs to session 4, which starts at 16
    16
    """
    if not 0 <= fraction < 0.5:
        raise BadInput(f"folds.lockbox is {fraction}; seal a fraction of the span from 0 up to, not including, 0.5")
    if fraction == 0:
        return len(session)
    first = fraction_of(len(session), 1 - fraction)
    start = int(np.searchsorted(session, session[first])) if first < len(session) else 0
    if start == 0:
        raise BadInput(
            f"folds.lockbox {fraction} of {len(session)} bars begins in the first session, so no bar is left to "
            "develop on; give more bars or set it to 0"
        )
    return start
