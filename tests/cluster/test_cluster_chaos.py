"""Three rounds of `make chaos`, on a smaller experiment and at a quicker pace."""

from pathlib import Path

import pytest

from scripts.chaos import EXPERIMENT, play
from scripts.disturbed import Pace

SMALLER = EXPERIMENT.replace("groups: 8", "groups: 6")
QUICK = Pace(worker_every=7.0, node_between=(10.0, 25.0), driver_between=(5.0, 15.0))


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_killed_workers_nodes_and_drivers_change_nothing_in_what_is_found(tmp_path: Path) -> None:
    rounds = play(3, tmp_path, SMALLER, QUICK)
    for one in rounds:
        assert one.equal, one
        assert one.trials_exact, one
        assert one.ledger_sound, one
        assert one.computed_twice == 0, one
    assert sum(one.workers_killed for one in rounds) > 0
    assert sum(one.drivers_killed for one in rounds) > 0
