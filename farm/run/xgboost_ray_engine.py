"""The one file that knows xgboost-ray: boosting by its actors, with the parts replaced that no longer work.

xgboost-ray 0.1.19 is its last version. It starts the tracker by which its actors find each other as XGBoost before 2.1
had it, and holds every actor's rows as numbers. Here XGBoost's own tracker is started in that place, and each actor is
given bins of its rows, which it reads block by block. Both replace private functions, so that no other version of
xgboost-ray is accepted.
"""

import logging
import threading
import time
import uuid
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from farm.errors import BadInput
from farm.run.rows_apart import Block
from farm.run.streamed.by_xgboost import streamed
from farm.run.streamed.job import Job
from farm.store import Store

SUPPORTED = "0.1.19"
_RESTARTS = 2


def require_xgboost_ray() -> None:
    """Raise BadInput unless the version of xgboost-ray is installed that is known to work."""
    try:
        found = version("xgboost-ray")
    except PackageNotFoundError:
        found = "none"
    if found != SUPPORTED:
        raise BadInput(
            f"pool.engine xgboost_ray needs xgboost-ray {SUPPORTED}, and there is {found}; install it (the extra "
            "xgboost-ray), or use engine ray_train"
        )


def boosted_by_actors(
    job: Job, home: str, train: Sequence[Sequence[Block]], tail: Sequence[Sequence[Block]]
) -> tuple[Any, float]:
    """The booster of a job, trained by as many actors as there are shares of rows, and the CPU seconds it took."""
    require_xgboost_ray()
    import xgboost_ray.main as main
    from xgboost_ray import RayDMatrix, RayParams
    from xgboost_ray.callback import DistributedCallback

    class Shares(RayDMatrix):
        """Rows that stay where they are stored; what an actor loads is which of them are its own."""

        def __init__(self, shares: Sequence[Sequence[Block]], *, watched: bool = False) -> None:
            self._uid = uuid.uuid4().int
            self.shares, self.watched, self.distributed = shares, watched, False

        @property
        def has_label(self) -> bool:
            return True

        @property
        def loaded(self) -> bool:
            return True

        def assert_enough_shards_for_actors(self, num_actors: int) -> None:
            """There is a share for every actor."""

        def assign_shards_to_actors(self, _actors: Any) -> bool:
            """Shares are dealt by rank."""
            return False

        def get_data(self, rank: int, _actors: int) -> dict[str, Any]:
            """The actor counts its rows by the lengths of ``data``."""
            return {"data": [block.code for block in self.shares[rank]], "blocks": self.shares[rank]}

    class OnActor(DistributedCallback):
        """What is replaced in the process of an actor, and the CPU seconds that it takes."""

        def on_init(self, _actor: Any) -> None:
            import xgboost
            import xgboost_ray.main as here

            store = Store(home)
            learned: list[Any] = []

            def matrix(data: Any, parameters: dict[str, Any]) -> Any:
                # Only what is watched takes its bins from the train rows: an actor that was restarted has no others,
                # and all actors make theirs together.
                made = xgboost.QuantileDMatrix(
                    streamed(store, parameters["blocks"]),
                    max_bin=job.max_bin,
                    nthread=job.threads,
                    ref=learned[-1] if data.watched else None,
                )
                if not data.watched:
                    learned[:] = [made]
                return made

            here._get_dmatrix = matrix

        def before_train(self, actor: Any) -> None:
            actor.started = time.process_time()

        def after_train(self, actor: Any, result: dict[str, Any]) -> None:
            result["bst"].set_attr(cpu_seconds=str(time.process_time() - actor.started))

    logging.getLogger("xgboost_ray").setLevel(logging.WARNING)  # else it tells every half minute that it trains
    main._start_rabit_tracker, main._stop_rabit_tracker = _tracker, _ended
    stops = [(Shares(tail, watched=True), "tail")] if job.patience is not None else []
    booster = main.train(
        job.parameters,
        Shares(train),
        num_boost_round=job.rounds,
        evals=stops,
        early_stopping_rounds=job.patience,
        verbose_eval=False,
        ray_params=RayParams(
            num_actors=len(train),
            cpus_per_actor=job.threads,
            max_actor_restarts=_RESTARTS,
            distributed_callbacks=[OnActor()],
            verbose=False,
        ),
    )
    return booster, float(booster.attr("cpu_seconds")) * len(train)


def _tracker(workers: int) -> tuple[Any, dict[str, Any]]:
    """XGBoost's own tracker, and what the actors are told to find it."""
    import ray
    from xgboost import RabitTracker

    host = ray.util.get_node_ip_address()  # type: ignore[no-untyped-call]  # Ray gives it no types
    tracker = RabitTracker(n_workers=workers, host_ip=host, sortby="task")
    tracker.start()
    waiting = threading.Thread(target=tracker.wait_for, daemon=True)
    waiting.start()
    return waiting, dict(tracker.worker_args())


def _ended(waiting: threading.Thread) -> None:
    waiting.join(timeout=5)
