import numpy as np
import pytest

from farm.selection import ClusteredMda, Mda, Mdi, Separation, Sfi, TrainRows

KINDS = {
    "separation": Separation(),
    "mdi": Mdi(trees=40),
    "mda": Mda(trees=30, folds=3, repeats=2),
    "clustered_mda": ClusteredMda(trees=30, folds=3, repeats=2),
    "sfi": Sfi(folds=3),
}


@pytest.fixture(params=KINDS)
def chooser(request):
    return KINDS[request.param]


@pytest.fixture(scope="session")
def made():
    """Makes rows of noise columns whose label leans on the first column, each label three rows long."""

    def rows(n=1200, columns=6, strength=1.0, seed=0):
        rng = np.random.default_rng(seed)
        inputs = rng.normal(size=(n, columns))
        lean = strength * inputs[:, 0] + rng.normal(size=n)
        target = np.select([lean < -0.5, lean > 0.5], [-1, 1], 0).astype(np.int8)
        time = 60 * np.arange(n)
        return TrainRows(inputs, target, rng.uniform(0.3, 1.0, n), time, time + 150)

    return rows
