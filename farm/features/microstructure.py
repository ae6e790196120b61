"""What bars alone suggest about spreads and pressure: weak proxies, in no preset, to be asked for by name."""

import math
from functools import partial

import numpy as np

from farm.bars.frame import Bars, Float
from farm.features.feature import Feature
from farm.features.logarithm import log_ratio
from farm.features.returns import bar_return, close_change
from farm.features.volatility import realized_volatility
from farm.features.volume import signed_volume, volume_sum
from farm.features.windows import ratio, rolling_sum, steps_back


def roll_spread(bars: Bars, *, window: int) -> Float:
    """Effective spread as a share of the price: twice the root of minus the returns' autocovariance, else 0."""
    change = bar_return(bars)
    return 2 * np.sqrt(np.maximum(-rolling_sum(change * steps_back(change, 1), window) / window, 0.0))


def corwin_schultz(bars: Bars, *, window: int) -> Float:
    """Mean spread as a share of the price that ranges of one and of two bars imply, negative ones counting as 0."""
    one = log_ratio(bars.high, bars.low) ** 2
    beta = one + steps_back(one, 1)
    high = np.maximum(bars.high, steps_back(bars.high, 1))
    low = np.minimum(bars.low, steps_back(bars.low, 1))
    gamma = log_ratio(high, low) ** 2
    scale = 3 - 2 * math.sqrt(2)
    alpha = (math.sqrt(2) - 1) * np.sqrt(beta) / scale - np.sqrt(gamma / scale)
    return rolling_sum(np.maximum(2 * np.tanh(alpha / 2), 0.0), window) / window


def amihud_ratio(bars: Bars, *, short: int, long: int) -> Float:
    """Mean absolute return per notional traded, over the short window in units of the long one's.

    Bars without volume do not count; 1 when the long window has no trade that moved the price.
    """
    notional = bars.volume * bars.close
    price_of_size = np.where(notional > 0, np.abs(bar_return(bars)) / np.where(notional > 0, notional, 1.0), 0.0)
    price_of_size[:1] = np.nan
    traded = np.where(np.isnan(price_of_size), np.nan, (notional > 0).astype(np.float64))

    def mean(window: int) -> Float:
        return ratio(rolling_sum(price_of_size, window), rolling_sum(traded, window), otherwise=0.0)

    return ratio(mean(short), mean(long), otherwise=1.0)


def kyle_lambda(bars: Bars, *, window: int) -> Float:
    """Slope, through zero, of returns on signed volume, per mean volume of the window; 0 when nothing traded."""
    flow, change = signed_volume(bars), bar_return(bars)
    slope = ratio(rolling_sum(change * flow, window), rolling_sum(flow * flow, window), otherwise=0.0)
    return slope * volume_sum(bars, window=window) / window


def bulk_imbalance(bars: Bars, *, window: int) -> Float:
    """Volume bought less volume sold per volume, -1 to 1, each bar's volume split by its standardised return."""
    from scipy.special import erf

    standard = ratio(bar_return(bars), realized_volatility(bars, window=window), otherwise=0.0)
    signed = bars.volume * erf(standard / math.sqrt(2))
    return ratio(rolling_sum(signed, window), volume_sum(bars, window=window), otherwise=0.0)


def still_share(bars: Bars, *, window: int) -> Float:
    """Share of the last ``window`` bars that closed where the one before did."""
    change = close_change(bars)
    return rolling_sum(np.where(np.isnan(change), np.nan, (change == 0).astype(np.float64)), window) / window


_micro = partial(Feature, group="microstructure", inputs=("close", "volume"))
FEATURES = (
    _micro(
        name="roll_spread_20",
        lookback=22,
        inputs=("close",),
        source="Roll, Journal of Finance 39 (1984), 1127-1139",
        compute=partial(roll_spread, window=20),
    ),
    _micro(
        name="corwin_schultz_20",
        lookback=21,
        inputs=("high", "low"),
        source="Corwin, Schultz, Journal of Finance 67 (2012), 719-759, without the adjustment for overnight gaps",
        compute=partial(corwin_schultz, window=20),
    ),
    _micro(
        name="amihud_ratio_20_100",
        lookback=101,
        source="Amihud, Journal of Financial Markets 5 (2002), 31-56, against its own past",
        compute=partial(amihud_ratio, short=20, long=100),
    ),
    _micro(
        name="kyle_lambda_20",
        lookback=21,
        source="Kyle, Econometrica 53 (1985), 1315-1335, volume signed by the bar's change",
        compute=partial(kyle_lambda, window=20),
    ),
    _micro(
        name="bulk_imbalance_20",
        lookback=40,
        source="Easley, Lopez de Prado, O'Hara, Review of Financial Studies 25 (2012), 1457-1493, section 1.2",
        compute=partial(bulk_imbalance, window=20),
    ),
    _micro(
        name="still_share_20",
        lookback=21,
        inputs=("close",),
        source="Lesmond, Ogden, Trzcinka, Review of Financial Studies 12 (1999), 1113-1141",
        compute=partial(still_share, window=20),
    ),
)
