"""Returns over the last bars, and how they follow on one another."""

from functools import partial

import numpy as np

from farm.bars.frame import Bars, Float
from farm.features.feature import Feature
from farm.features.windows import ratio, rolling_sum, steps_back


def log_change(close: Float, bars: int) -> Float:
    """Log of each close over the close ``bars`` bars before, NaN where there is none."""
    return np.log(close / steps_back(close, bars))


def log_return(bars: Bars, *, over: int) -> Float:
    """Log return of the close over ``over`` bars."""
    return log_change(bars.close, over)


def autocorrelation(bars: Bars, *, window: int) -> Float:
    """Correlation, about zero, of the last ``window`` returns each with the one before it; 0 when nothing moved."""
    now = log_change(bars.close, 1)
    before = steps_back(now, 1)
    now = np.where(np.isnan(before), np.nan, now)
    scale = np.sqrt(rolling_sum(now * now, window) * rolling_sum(before * before, window))
    return ratio(rolling_sum(now * before, window), scale, otherwise=0.0)


def _log_return(over: int) -> Feature:
    return Feature(
        name=f"log_return_{over}",
        group="returns",
        lookback=over + 1,
        inputs=("close",),
        source="Campbell, Lo, MacKinlay, The Econometrics of Financial Markets, 1.4",
        compute=partial(log_return, over=over),
    )


FEATURES = (
    *(_log_return(over) for over in (1, 5, 10, 20, 60)),
    Feature(
        name="autocorrelation_20",
        group="returns",
        lookback=22,
        inputs=("close",),
        source="Campbell, Lo, MacKinlay, The Econometrics of Financial Markets, 2.4",
        compute=partial(autocorrelation, window=20),
    ),
)
