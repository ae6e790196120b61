"""Returns over the last bars, and how they follow on one another."""

from functools import partial

import numpy as np

from farm.bars.frame import Bars, Float
from farm.features.feature import Feature
from farm.features.logarithm import log_change, log_ratio
from farm.features.quotient import Quotient
from farm.features.shared import shared
from farm.features.windows import change_over, rolling_mean, rolling_sum, steps_back


def log_return(bars: Bars, *, over: int) -> Float:
    """Log return of the close over ``over`` bars."""
    return bar_return(bars) if over == 1 else log_change(bars.close, over)


@shared
def bar_return(bars: Bars) -> Float:
    """Log return of the close over one bar."""
    return log_change(bars.close, 1)


@shared
def squared_return(bars: Bars) -> Float:
    """Square of the log return over one bar."""
    change = bar_return(bars)
    return change * change


@shared
def close_change(bars: Bars) -> Float:
    """Change of the close over one bar, in price units; NaN at the first bar."""
    return change_over(bars.close, 1)


@shared
def change_size(bars: Bars) -> Float:
    """Size of the change of the close over one bar, in price units; NaN at the first bar."""
    return np.abs(close_change(bars))


def gap(bars: Bars) -> Float:
    """Log of the open over the close before."""
    return log_ratio(bars.open, steps_back(bars.close, 1))


def autocorrelation(bars: Bars, *, window: int, lag: int = 1) -> Quotient:
    """Correlation, about zero, of the last ``window`` returns each with that ``lag`` before; 0 when nothing moved."""
    now = bar_return(bars)
    before = steps_back(now, lag)
    now = np.where(np.isnan(before), np.nan, now)
    scale = np.sqrt(rolling_sum(now * now, window) * rolling_sum(before * before, window))
    return Quotient(rolling_sum(now * before, window), scale, otherwise=0.0)


def direction(bars: Bars, *, window: int) -> Float:
    """Share of rising bars less share of falling ones among the last ``window``, -1 to 1."""
    return rolling_mean(np.sign(close_change(bars)), window)


def realized_skewness(bars: Bars, *, window: int) -> Quotient:
    """Third moment of the returns about zero over the root mean square cubed; 0 when nothing moved."""
    square, change = mean_square(bars, window=window), bar_return(bars)
    cubes = rolling_sum(change * change * change, window)
    return Quotient(cubes, square * np.sqrt(square), otherwise=0.0, times=1 / window)


def realized_kurtosis(bars: Bars, *, window: int) -> Quotient:
    """Fourth moment of the returns about zero over the mean square squared; 3 when nothing moved."""
    square, change = mean_square(bars, window=window), squared_return(bars)
    return Quotient(rolling_sum(change * change, window), square * square, otherwise=3.0, times=1 / window)


@shared
def mean_square(bars: Bars, *, window: int) -> Float:
    """Mean squared log return over ``window`` bars."""
    return rolling_mean(squared_return(bars), window)


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
    Feature(
        name="gap",
        group="returns",
        lookback=2,
        inputs=("open", "close"),
        source="own",
        compute=gap,
    ),
    Feature(
        name="direction_20",
        group="returns",
        lookback=21,
        inputs=("close",),
        source="own",
        compute=partial(direction, window=20),
    ),
    *(
        Feature(
            name=f"autocorrelation_20_lag_{lag}",
            group="returns",
            lookback=21 + lag,
            inputs=("close",),
            source="Campbell, Lo, MacKinlay, The Econometrics of Financial Markets, 2.4",
            compute=partial(autocorrelation, window=20, lag=lag),
        )
        for lag in (2, 5, 10)
    ),
    *(
        Feature(
            name=f"{moment.__name__}_{window}",
            group="returns",
            lookback=window + 1,
            inputs=("close",),
            source="Amaya, Christoffersen, Jacobs, Vasquez, Journal of Financial Economics 118 (2015), section 2",
            compute=partial(moment, window=window),
        )
        for moment in (realized_skewness, realized_kurtosis)
        for window in (20, 60)
    ),
)
