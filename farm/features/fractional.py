"""Log prices differenced to a fractional order in a fixed window: less memory than a price, more than a return.

Its weights do not sum to zero, so what is differenced is the height over the window's oldest close: the same column in
any currency, which keeps the memory of the window and no more. The column on the bare logarithm is there by name, for
those who want the level; it depends on the unit of price.
"""

from functools import partial

import numpy as np

from farm.bars.frame import Bars, Float
from farm.features.feature import Feature
from farm.features.filters import weighted_heights


def fractional_weights(order: float, threshold: float = 1e-3) -> Float:
    """Weights of the present and earlier values, cut where they fall below the threshold in size.

    >>> fractional_weights(0.5, 0.1)
    array([ 1.   , -0.5  , -0.125])
    """
    weights = [1.0]
    while abs(following := -weights[-1] * (order - len(weights) + 1) / len(weights)) >= threshold:
        weights.append(following)
    return np.array(weights)


def fractional_difference(x: Float, order: float, threshold: float = 1e-3) -> Float:
    """The series differenced to an order between 0 and 1, NaN until the window of its weights is full."""
    weights = fractional_weights(order, threshold)
    return weighted_heights(x, weights) + weights.sum() * x


def log_price_difference(bars: Bars, *, order: float) -> Float:
    """Fractional difference of the log close; depends on the unit of price."""
    return fractional_difference(np.log(bars.close), order)


def height_difference(bars: Bars, *, order: float) -> Float:
    """Fractional difference of the log close over the window's oldest; 0 when nothing moved."""
    weights = fractional_weights(order)
    weights[-1] -= weights.sum()  # takes the oldest value from every one of them
    return weighted_heights(np.log(bars.close), weights)


_fractional = partial(
    Feature,
    group="fractional",
    inputs=("close",),
    source="Lopez de Prado, Advances in Financial Machine Learning (2018), 5.5, the fixed-width window",
)
FEATURES = (
    *(
        _fractional(
            name=f"fractional_{percent}",
            lookback=len(fractional_weights(percent / 100)),
            compute=partial(height_difference, order=percent / 100),
        )
        for percent in (40, 60)
    ),
    _fractional(
        name="fractional_level_40",
        lookback=len(fractional_weights(0.4)),
        compute=partial(log_price_difference, order=0.4),
        stationary=False,
    ),
)
