import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest


@pytest.fixture(scope="session")
def data_folder() -> Path:
    folder = os.environ.get("FARM_DATA")
    if not folder:
        pytest.skip("FARM_DATA is not set: no real bars here")
    return Path(folder)


@pytest.fixture
def table() -> pd.DataFrame:
    """Thirty minutes of sound bars from 2024-03-04 09:00 UTC, a Monday."""
    rng = np.random.default_rng(5)
    time = pd.date_range("2024-03-04 09:00", periods=30, freq="1min", tz="UTC")
    close = 100 + rng.normal(size=30).cumsum().round(2)
    open_ = np.concatenate(([100.0], close[:-1]))
    return pd.DataFrame(
        {
            "timestamp": time,
            "open": open_,
            "high": np.maximum(open_, close) + 0.5,
            "low": np.minimum(open_, close) - 0.5,
            "close": close,
            "volume": np.arange(1.0, 31.0),
        }
    )
