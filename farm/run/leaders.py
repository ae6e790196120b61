"""The best candidates so far, shown on the dashboards while the studies are being judged."""

import heapq
from collections.abc import Callable

from farm.evidence import StudyEvidence

MOST = 50
"""How many studies are shown: a series on the dashboard for each."""

Show = Callable[..., None]


class Leaders:
    """Shows the best candidate of each study that is among the best so far.

    What is shown are estimates of single studies: whether any of them passes is decided when all are counted.
    """

    def __init__(self, show: Show, most: int = MOST) -> None:
        self._show = show
        self._most = most
        self._kept: list[float] = []

    def judged(self, evidence: StudyEvidence) -> None:
        """Show the best candidate of a study that has one, unless enough better ones are known."""
        known = [(one.deflated, name) for name, one in evidence.candidates.items() if one.deflated is not None]
        if not known:
            return
        deflated, name = max(known)
        if len(self._kept) < self._most:
            heapq.heappush(self._kept, deflated)
        elif heapq.heappushpop(self._kept, deflated) == deflated:
            return
        sharpe = evidence.candidates[name].sharpe
        counts = {"deflated": deflated, **({} if sharpe is None else {"sharpe": sharpe})}
        self._show("best", counts, symbol=evidence.symbol, trial=name)
