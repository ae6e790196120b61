"""One share of a distributed fit, from stored panels to a library's bins, block by block."""

from typing import Any, Protocol

from farm.run.streamed import by_lightgbm, by_xgboost
from farm.run.streamed.job import Job, Share
from farm.store import Store

__all__ = ["IN_PARTS", "InParts", "Job", "Share"]


class InParts(Protocol):
    """How a library trains one booster on several workers, each of which sees its own share of the rows.

    ``SAMPLED`` is of how many rows of all shares every worker makes the same bins; 0 where workers agree on bins by
    themselves. ``WHOLE_TAIL``: every worker watches all rows to stop on, and not its share of them.
    """

    SAMPLED: int
    WHOLE_TAIL: bool

    def trainer(self, n_jobs: int) -> tuple[type[Any], dict[str, Any]]:
        """The trainer of Ray Train under which workers find each other for so many jobs, and its own arguments."""
        ...

    def trained(self, job: Job, store: Store, share: Share, number: int) -> tuple[bytes, float]:
        """The booster of a job, equal on every worker, and the CPU seconds of all; ``number`` is the job's."""
        ...

    def restored(self, estimator: Any, job: Job, model: bytes) -> None:
        """Give an estimator the booster that was trained."""
        ...


IN_PARTS: dict[str, InParts] = {"lightgbm": by_lightgbm, "xgboost": by_xgboost}
