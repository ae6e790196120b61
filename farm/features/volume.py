"""Volume against its own recent past. A stretch without volume gives the neutral value, never a missing row."""

from functools import partial

from farm.bars.frame import Bars, Float
from farm.features.feature import Feature
from farm.features.windows import above_mean, ratio, rolling_sum


def volume_ratio(bars: Bars, *, window: int) -> Float:
    """Volume in units of its mean over ``window`` bars; 1 when none of them has volume."""
    return ratio(bars.volume * window, rolling_sum(bars.volume, window), otherwise=1.0)


def volume_score(bars: Bars, *, window: int) -> Float:
    """Volume less its mean over ``window`` bars, in standard deviations; 0 when volume does not vary."""
    above, deviation = above_mean(bars.volume, window)
    return ratio(above, deviation, otherwise=0.0)


FEATURES = (
    Feature(
        name="volume_ratio_20",
        group="volume",
        lookback=20,
        inputs=("volume",),
        source="Kaufman, Trading Systems and Methods, 5th ed., chapter 12",
        compute=partial(volume_ratio, window=20),
    ),
    Feature(
        name="volume_score_60",
        group="volume",
        lookback=60,
        inputs=("volume",),
        source="own",
        compute=partial(volume_score, window=60),
    ),
)
