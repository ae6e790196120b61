"""Boosting by xgboost-ray's actors: the one file that replaces its parts, against one process on the same rows."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from farm.errors import BadInput
from farm.run import xgboost_ray_engine
from farm.run.rows_apart import Block, dealt
from farm.run.streamed import Job
from farm.run.streamed.by_xgboost import boosted
from farm.run.xgboost_ray_engine import boosted_by_actors, require_xgboost_ray
from farm.store import Store

KEY = "0" * 32
BOOSTED = {"objective": "multi:softprob", "num_class": 3, "tree_method": "hist", "nthread": 1, "max_depth": 3}


@pytest.fixture
def rows(tmp_path: Path) -> Any:
    """A store, blocks to train on and blocks to stop on; features of few values, so that bins are the same anywhere."""
    rng = np.random.default_rng(0)
    features = np.round(rng.standard_normal((3000, 5)) * 4) / 4
    code = np.digitize(features[:, 0] + rng.standard_normal(3000), [-0.5, 0.5]).astype(np.int8)
    store = Store(str(tmp_path)).create()
    store.put_arrays("panels", KEY, {"values": features}, {})

    def blocks(start: int, stop: int) -> list[Block]:
        return [
            Block(KEY, at, at + 250, code[at : at + 250], np.ones(250), len(features)) for at in range(start, stop, 250)
        ]

    return store, features, blocks(0, 2000), blocks(2000, 3000)


@pytest.mark.ray
def test_two_actors_train_what_one_process_does_and_stop_where_it_does(tmp_path: Path, rows: Any) -> None:
    import ray
    import xgboost

    store, features, train, tail = rows
    job = Job("1" * 32, BOOSTED, 60, 3, 256, 1)
    alone = boosted(job, store, train, tail)
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=100 * 2**20)
    try:
        together, seconds = boosted_by_actors(job, str(tmp_path), dealt(train, 2), dealt(tail, 2))
    finally:
        ray.shutdown()
    assert seconds > 0
    assert alone.best_iteration == together.best_iteration < job.rounds - 1
    matrix, best = xgboost.DMatrix(features), (0, alone.best_iteration + 1)
    said = [one.predict(matrix, iteration_range=best) for one in (alone, together)]
    np.testing.assert_allclose(said[0], said[1], atol=1e-4)


@pytest.mark.parametrize("found", ["0.1.18", "none"])
def test_another_version_of_the_library_is_refused(monkeypatch: pytest.MonkeyPatch, found: str) -> None:
    def version(name: str) -> str:
        if found == "none":
            raise xgboost_ray_engine.PackageNotFoundError(name)
        return found

    monkeypatch.setattr(xgboost_ray_engine, "version", version)
    with pytest.raises(BadInput, match=f"needs xgboost-ray 0.1.19, and there is {found}; install it"):
        require_xgboost_ray()
