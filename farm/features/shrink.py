"""Columns of a higher timeframe drawn towards their own recent mean, by how much one reading can be relied on."""

from dataclasses import replace
from functools import partial

import numpy as np

from farm.bars.frame import Bars, Float
from farm.features.feature import Feature
from farm.features.moments import above_mean
from farm.features.windows import ratio, rolling_sum

WINDOW = 60  # readings that reliability is judged by


def shrunk(feature: Feature, timeframe: str) -> Feature:
    """The feature on a timeframe with every reading replaced by what it says of the signal beneath.

    A reading is a signal that lasts plus noise of one bar. Its best linear guess of the signal is
    ``mean + reliability * (reading - mean)``, reliability being the share of the signal in the variance (Kelley,
    Fundamentals of Statistics, 1947, p. 409). Both are taken from the last 60 readings, the present one included: half
    of the mean squared step from one reading to the next is the noise, the rest of the variance the signal (von
    Neumann, Annals of Mathematical Statistics 12, 1941, 367-395). A column that starts anew with every bar is left with
    its mean, one that drifts stays as it is.

    >>> from farm.features import registry
    >>> rsi = registry()["rsi_14"]
    >>> shrunk(rsi, "1h").lookback - rsi.lookback
    59
    """
    back = feature.bars_back(timeframe)
    compute = partial(_shrunk, feature=feature, back=back)
    return replace(feature, lookback=back + WINDOW - 1, sessions=0, compute=compute)


def _shrunk(bars: Bars, *, feature: Feature, back: int) -> Float:
    readings = np.array(feature.compute(bars), dtype=np.float64)
    readings[: back - 1] = np.nan
    above, deviation = above_mean(readings, WINDOW)
    step = np.diff(readings, prepend=np.nan)
    noise = rolling_sum(step * step, WINDOW - 1) / 2  # of as many steps as the variance has degrees of freedom
    unreliable = np.minimum(ratio(noise, WINDOW * deviation * deviation, otherwise=0.0), 1.0)
    return readings - unreliable * above
